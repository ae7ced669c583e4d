"""A local Nexus that writes down what it is asked, and answers what a test says instead, and feeds over it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import web

from nexus_async import Checkpoint, LogEntry, RunEnded
from nexus_async.local import Fault as LocalFault, LocalNexus, ScriptedTrainer
from nexus_async.local.faults.behaviour import Exchange
from nexus_async.testing import client_for
from nexus_async.testing.virtual_time import EPOCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

    from nexus_async import Event, Feed, Project
    from nexus_async.local import LocalRun

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    OwnFault = Callable[[web.Request, web.StreamResponse], Awaitable[web.StreamResponse]]
    Fault = LocalFault | OwnFault

E = TypeVar("E", bound="Event")
HALF_AN_HOUR: Final = 1800.0


@dataclass(frozen=True)
class Asked:
    """Say of one request when it came, on the loop's clock, for what, what came of it and how long the body was."""

    at: float
    path: str
    status: int
    size: int

    @property
    def kind(self) -> str:
        parts = self.path.split("/")
        return (
            "log" if "logs" in parts else "list" if parts[-1] == "runs" else "run" if "runs" in parts else "other"
        )


class FaultyNexus(LocalNexus):
    """Ask `fault` about each request: it returns one of the kinds of faults, or what is done to the answer, or None."""

    def __init__(self, trainer: Any = None, **options: Any) -> None:
        defaults: dict[str, Any] = {"secret_key": "k", "epoch": EPOCH}
        super().__init__(trainer or ScriptedTrainer(), **{**defaults, **options})
        self.fault: Callable[[web.Request], Fault | None] = lambda _: None
        self.asked: list[Asked] = []

    def _application(self) -> web.Application:
        app, closing = super()._application(), asyncio.Event()

        @web.middleware
        async def faulty(request: web.Request, handler: Handler) -> web.StreamResponse:
            fault, at = self.fault(request), asyncio.get_running_loop().time()
            if isinstance(fault, LocalFault):
                exchange = Exchange(request, self._state.clock, closing)
                answer = await fault.behaviour.around(exchange, handler)
            else:
                answer = await handler(request)
                answer = answer if fault is None else await fault(request, answer)
            size = len(answer.body) if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else 0
            self.asked.append(Asked(at, request.path, answer.status, size))
            return answer

        app.middlewares.insert(0, faulty)
        return app

    def count(self, kind: str | None = None, *, after: float = 0.0, before: float = float("inf")) -> int:
        """Count the requests, those of a kind or all, that came in a time."""
        return sum(kind in {None, each.kind} and after <= each.at < before for each in self.asked)

    def forget(self, run: LocalRun) -> None:
        """Know nothing of a run any more."""
        registry = self._state.registry
        registry._ended[run.id] = None
        registry._forget(run.id)


def refusal(status: int, *, retry_after: int | None = None) -> Fault:
    return LocalFault.refuse(status, retry_after=retry_after)


def other_body(change: Callable[[bytes], bytes]) -> Fault:
    return LocalFault.changed_body(change)


def drop(share: float) -> OwnFault:
    """Break the connection after a share of the body."""

    async def break_off(request: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        assert isinstance(answer, web.Response)
        assert isinstance(answer.body, bytes)
        broken = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
        broken.content_length = len(answer.body)
        await broken.prepare(request)
        await broken.write(answer.body[: int(share * (len(answer.body) - 1))])
        assert request.transport is not None
        request.transport.close()
        return broken

    return break_off


def on(what: str, fault: Fault | None) -> Callable[[web.Request], Fault | None]:
    """Do `fault` to the requests whose path ends with `what`."""
    return lambda request: fault if request.path.endswith(what) else None


def on_logs_of(run: LocalRun, fault: Fault | None) -> Callable[[web.Request], Fault | None]:
    return on(run.log_ids[0], fault)


@asynccontextmanager
async def serving(trainer: Any = None, **options: Any) -> AsyncIterator[tuple[FaultyNexus, Project]]:
    """Serve, and give a project of a client; the options are the client's."""
    async with FaultyNexus(trainer) as nexus, client_for(nexus, **options) as client:
        yield nexus, client.get_project(nexus.project_id)


def later(delay: float, what: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(delay, what)


async def within(feed: Feed, seconds: float) -> list[Event]:
    """Return what a feed has to tell within some seconds."""
    events: list[Event] = []
    try:
        async with asyncio.timeout(seconds):
            async for event in feed:
                events.append(event)  # noqa: PERF401 - what came before the timeout is kept
    except TimeoutError:
        pass
    return events


async def until(feed: Feed, done: Callable[[Event], bool]) -> list[Event]:
    """Return what a feed has to tell up to an event."""
    events: list[Event] = []
    async for event in feed:
        events.append(event)
        if done(event):
            break
    return events


def of_kind(kind: type[E], events: Iterable[Event]) -> list[E]:
    return [event for event in events if isinstance(event, kind)]


def steps(events: Iterable[Event]) -> dict[str, list[int]]:
    """Return the steps of each run's checkpoints, in the order in which they were told."""
    found: dict[str, list[int]] = {}
    for event in of_kind(Checkpoint, events):
        found.setdefault(event.run_id, []).append(event.step)
    return found


def ends(events: Iterable[Event]) -> Counter[str]:
    return Counter(event.run_id for event in of_kind(RunEnded, events))


def entries(events: Iterable[Event]) -> list[str]:
    return [event.id for event in events if isinstance(event, (Checkpoint, LogEntry))]
