"""A server of many runs, as light as can be: what it costs must not hide what is measured.

It speaks just enough HTTP/1.1 for the two sides that ask it. Its runs write either nothing more (`still`), or at
given times by a clock that may be faster than ours (`timed`).
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from benchmarks.timed_source import EPOCH, bodies_of, run_of

if TYPE_CHECKING:
    from collections.abc import Callable

ENTRIES = 200
INTERVAL = 60.0


class Runs:
    """Answer for runs by their numbers."""

    def __init__(self, times: list[list[float]], now: Callable[[], float]) -> None:
        self._now = now
        self._times = times
        self._bodies: dict[int, tuple[bytes, list[int]]] = {}
        self.list = msgspec.json.encode([run_of(name(number)) for number in range(len(times))])

    def run(self, number: int) -> bytes:
        return msgspec.json.encode(run_of(name(number)))

    def log(self, number: int) -> bytes:
        times = self._times[number]
        if number not in self._bodies:
            self._bodies[number] = bodies_of(name(number), times)
        text, ends = self._bodies[number]
        return text[: ends[bisect_right(times, self._now())]] + b"]}"


class Still(Runs):
    """Answer with the same log for every run."""

    def __init__(self, runs: int) -> None:
        at = time.time() - EPOCH - 10.0
        times = [at - INTERVAL * age for age in reversed(range(ENTRIES))]
        super().__init__([times] * runs, lambda: at)
        self._log = super().log(0)

    def log(self, number: int) -> bytes:  # noqa: ARG002 - all of them have the same
        return self._log


class Server(asyncio.Protocol):
    """Answer one connection's requests, one after another."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        while b"\r\n\r\n" in self._head:
            head, _, self._head = self._head.partition(b"\r\n\r\n")
            body = self._answer(head.split(b" ", 2)[1].decode())
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            self._transport.write(body)

    def _answer(self, path: str) -> bytes:
        last = path.rpartition("/")[2]
        if last == "runs":
            return self._runs.list
        number = int(last.rpartition("_")[2])
        return self._runs.log(number) if last.startswith("runlog_") else self._runs.run(number)


def name(number: int) -> str:
    return f"run_{number:08}"


async def serve() -> None:
    """Read what to serve, print where, and go on until standard input ends."""
    asked = json.loads(sys.stdin.readline())
    if "still" in asked:
        runs: Runs = Still(asked["still"])
    else:
        begun, speed = time.monotonic(), asked["speed"]
        runs = Runs(asked["timed"], lambda: (time.monotonic() - begun) * speed)
    server = await asyncio.get_running_loop().create_server(lambda: Server(runs), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    print(json.dumps({"url": url}), flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
