"""The ways to poll a log, from bare aiohttp that discards it to the stream that a user holds."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import aiohttp

from nexus_async import Client
from nexus_async.config import PRICE
from nexus_async.logs import LogReader
from nexus_async.pacing import Adaptive, ServerClock

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nexus_async.logs import Reading
    from nexus_async.pacing import RunPacing
    from nexus_async.pacing.policy import AdaptiveRun
    from nexus_async.resources.source import RunSource
    from nexus_async.streaming import LogStream

READ_BUFFER = 1 << 20
"""Bytes; what nexus-async chose, so that reading costs both the same."""
STATUS_EVERY = 10
"""Polls of a feed for one look at the status: lists stay under a tenth of the requests."""


class Server(NamedTuple):
    """Whom to ask."""

    url: str
    secret_key: str
    project_id: str


class Log(NamedTuple):
    """What to poll."""

    run_id: str
    log_id: str


Polls = Callable[[Log, int], Coroutine[object, object, float]]
"""Polls a log so many times; gives the seconds of CPU that they take this process."""
Opened = tuple[Polls, Callable[[], Coroutine[object, object, None]]]
"""A way to poll, and what closes it."""


def repeated(poll: Callable[[Log], Awaitable[object]]) -> Polls:
    async def polls(log: Log, calls: int) -> float:
        begun = time.process_time()
        for _ in range(calls):
            await poll(log)
        return time.process_time() - begun

    return polls


def open_session(server: Server) -> tuple[aiohttp.ClientSession, str]:
    session = aiohttp.ClientSession(headers={"Secret-Key": server.secret_key}, read_bufsize=READ_BUFFER)
    return session, f"{server.url}/projects/{server.project_id}/runs/"


def open_client(server: Server) -> tuple[Client, RunSource]:
    client = unthrottled(server)
    return client, client.get_project(server.project_id).runs._source  # noqa: SLF001 - what streams poll with


def unthrottled(server: Server) -> Client:
    return Client(server.secret_key, endpoint=server.url, requests_per_second=1e9, bytes_per_second=1e12)


async def discarding(server: Server) -> Opened:
    """Read with bare aiohttp and discard: less cannot be had without the server's help."""
    session, base = open_session(server)

    async def poll(log: Log) -> None:
        async with session.get(base + "logs/" + log.log_id) as response:
            async for _ in response.content.iter_any():
                pass

    return repeated(poll), session.close


async def discarding_with_status(server: Server) -> Opened:
    """Do the same, and read the status before."""
    session, base = open_session(server)

    async def poll(log: Log) -> None:
        async with session.get(base + log.run_id) as response:
            await response.read()
        async with session.get(base + "logs/" + log.log_id) as response:
            async for _ in response.content.iter_any():
                pass

    return repeated(poll), session.close


async def digesting(server: Server) -> Opened:
    """Read with bare aiohttp into a `LogReader`: what telling the news alone costs."""
    session, base = open_session(server)
    readers: defaultdict[Log, LogReader] = defaultdict(LogReader)

    async def poll(log: Log) -> int:
        reading = readers[log].open()
        async with session.get(base + "logs/" + log.log_id) as response:
            reading.begin(etag=response.headers.get("ETag"))
            async for chunk in response.content.iter_any():
                reading.feed(chunk)
        return sum(len(news.steps) for news in reading.news())

    return repeated(poll), session.close


class Unbounded:
    """Take a body in without a bound on what is kept of it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.if_none_match = reading.if_none_match

    def begin(self, *, etag: str | None, coding: str, left_out: bool, length: int | None, limit: int = 0) -> None:  # noqa: ARG002
        self._reading.begin(etag=etag, coding=coding, left_out=left_out, limit=limit)

    def feed(self, chunk: bytes) -> None:
        self._reading.feed(chunk)


async def reading(server: Server) -> Opened:
    """Read with the client into a `LogReader`, without pacing and status."""
    client, source = open_client(server)
    readers: defaultdict[Log, LogReader] = defaultdict(LogReader)

    async def poll(log: Log) -> int:
        reading = readers[log].open()
        await source.read_log(log.log_id, Unbounded(reading))
        return sum(len(news.steps) for news in reading.news())

    return repeated(poll), client.aclose


async def pacing(server: Server) -> Opened:
    """Poll as a feed within its budget does: each poll paced by its price, the status now and then."""
    client, source = open_client(server)
    readers: defaultdict[Log, LogReader] = defaultdict(LogReader)
    paces: defaultdict[Log, AdaptiveRun] = defaultdict(lambda: Adaptive().for_run(ServerClock()))
    previous: defaultdict[Log, float] = defaultdict(lambda: float("-inf"))
    polls: Counter[Log] = Counter()

    async def poll(log: Log) -> float:
        if polls[log] % STATUS_EVERY == 0:
            await source.get_run(log.run_id)
        polls[log] += 1
        now, reading, pace = time.time(), readers[log].open(), paces[log]
        await source.read_log(log.log_id, Unbounded(reading))
        times = [step.entry.value["t"] / 1000 for news in reading.news() for step in news.steps]
        pace.seen(previous[log], now, times)
        previous[log] = now
        return pace.next_poll_worth(PRICE, now)

    return repeated(poll), client.aclose


async def streaming(server: Server) -> Opened:
    """Follow with `stream_logs`: the status before each poll, pacing, events."""
    client = unthrottled(server)
    runs = client.get_project(server.project_id).runs
    streams: dict[Log, tuple[LogStream, AtOnce]] = {}

    async def polls(log: Log, calls: int) -> float:
        if log not in streams:
            pace = AtOnce()
            streams[log] = runs.stream_logs(log.run_id, pacing=pace), pace
        stream, pace = streams[log]
        begun = time.process_time()
        waiting = asyncio.create_task(drain(stream))
        pace.after(calls, waiting.cancel)
        with suppress(asyncio.CancelledError):  # which loses nothing
            await waiting
        return time.process_time() - begun

    return polls, client.aclose


async def watching(server: Server) -> Opened:
    """Follow with `watch`, from its second poll on: pacing, turns, events; the status by a list now and then."""
    client = unthrottled(server)
    runs = client.get_project(server.project_id).runs

    async def polls(log: Log, calls: int) -> float:
        pace, ended = AtOnce(), asyncio.Event()
        times: list[float] = []

        def note() -> None:
            times.append(time.process_time())
            if len(times) == 1:
                pace.after(calls, note)
            else:
                ended.set()

        pace.after(1, note)
        async with runs.watch([log.run_id], start="latest", pacing=pace) as feed:
            waiting = asyncio.create_task(drain(feed))
            await ended.wait()
            waiting.cancel()
        return times[1] - times[0]

    return polls, client.aclose


async def drain(events: AsyncIterator[object]) -> None:
    async for _ in events:
        pass


class AtOnce:
    """Pace one run as `Adaptive` does, yet poll at once all the same."""

    def __init__(self) -> None:
        self._run: RunPacing = Adaptive().for_run(ServerClock())
        self._left = 0
        self._then: Callable[[], object] = bool

    def after(self, polls: int, then: Callable[[], object]) -> None:
        """Call `then` when so many polls are over."""
        self._left, self._then = polls, then

    def for_run(self, clock: ServerClock, /) -> AtOnce:
        self._run = Adaptive().for_run(clock)
        return self

    def seen(self, previous_poll: float, poll: float, times: Sequence[float], /) -> None:
        self._run.seen(previous_poll, poll, times)

    def next_poll(self, poll: float, /) -> float:
        self._run.next_poll(poll)
        self._left -= 1
        if self._left == 0:
            self._then()
        return poll


SIDES: dict[str, Callable[[Server], Coroutine[object, object, Opened]]] = {
    "bare": discarding,
    "bare with status": discarding_with_status,
    "digest": digesting,
    "client": reading,
    "feed": pacing,
    "stream": streaming,
    "watch": watching,
}
