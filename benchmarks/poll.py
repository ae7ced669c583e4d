"""CPU time of the client's process for one poll of a log, served by another process.

Measured against the official client's `get_logs`, which decodes the whole log every time, and against bare
aiohttp that reads the body and discards it: less than that cannot be had without the server's help.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.child import OFFICIAL_PYTHON, Child, child
from benchmarks.measure import in_turns
from benchmarks.poll_report import Measured, report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TITLE = "CPU time of a poll, in milliseconds: median [least-greatest]"

STARTS = 4
"""Times that every worker is started anew: processes of the same code may differ for the whole of their lives."""
ROUNDS = 5
"""For each start."""


class Silent(NamedTuple):
    """Polls of a log that nothing is written to."""

    log: str
    coding: str
    sides: tuple[str, ...]
    calls: int
    """Polls of a batch."""
    official_calls: int
    """Those of the official client."""


class Growing(NamedTuple):
    """Polls of a log, an entry being written before each: to that log, or to another."""

    coding: str
    sides: tuple[str, ...]
    calls: int


class Workers(NamedTuple):
    """The processes that take part."""

    server: Child
    ours: Child
    official: Child


MOST = ("bare", "digest", "client")
ALL = (*MOST, "feed", "watch", "bare with status", "stream")
SILENT = (
    Silent("1000", "identity", ALL, calls=200, official_calls=10),
    Silent("10000", "identity", ALL, calls=80, official_calls=2),
    Silent("100000", "identity", MOST, calls=12, official_calls=1),
    Silent("10000", "gzip", ("client",), calls=40, official_calls=2),
)
GROWING = (
    Growing("identity", ("client", "stream"), calls=30),
    Growing("gzip", ("client",), calls=3),
)


def main() -> None:
    if not OFFICIAL_PYTHON.exists():
        raise SystemExit(f"{OFFICIAL_PYTHON} is missing: `make bench` installs the official client there")
    taken: dict[Measured, list[float]] = {}
    with child("benchmarks.serve_logs") as server:
        target = server.read()
        for _ in range(STARTS):
            for measured, costs in _measure(server, target):
                taken.setdefault(measured, []).extend(costs)
    report(taken)


def _measure(server: Child, target: object) -> Iterator[tuple[Measured, list[float]]]:
    with ExitStack() as stack:
        ours = stack.enter_context(child("benchmarks.workers.polling"))
        official = stack.enter_context(child("benchmarks.workers.official_logs", python=OFFICIAL_PYTHON))
        ours.tell(target)
        official.tell(target)
        workers = Workers(server, ours, official)
        for silent in SILENT:
            yield from in_turns(ROUNDS, _silent_batches(silent, workers)).items()
        for growing in GROWING:
            yield from in_turns(ROUNDS, _growing_batches(growing, workers)).items()


def _silent_batches(silent: Silent, workers: Workers) -> dict[Measured, Callable[[], float]]:
    """Return what runs a batch of each side and gives the milliseconds a poll."""
    log, coding, sides, calls, official_calls = silent
    ours = {Measured(log, coding, side): _batch(workers.ours, side, coding, calls, log) for side in sides}
    asked = _batch(workers.official, "official", coding, official_calls, log)
    return {**ours, Measured(log, coding, "official"): asked}


def _batch(worker: Child, side: str, coding: str, calls: int, log: str) -> Callable[[], float]:
    return lambda: float(worker.ask([side, coding, calls, log])) / calls * 1e3


def _growing_batches(growing: Growing, workers: Workers) -> dict[Measured, Callable[[], float]]:
    """Return the same of polls of a growing log, and of those after which another log has grown."""
    return {
        Measured("growing", growing.coding, f"{side}: {news}"): _grown(growing, side, workers, written)
        for side in growing.sides
        for news, written in (("1 new", "growing"), ("no news", "aside"))
    }


def _grown(growing: Growing, side: str, workers: Workers, written: str) -> Callable[[], float]:
    poll = _batch(workers.ours, side, growing.coding, 1, "growing")

    def polls() -> float:
        poll()  # takes what was written for the others
        costs = 0.0
        for _ in range(growing.calls):
            workers.server.ask(written)
            costs += poll()
        return costs / growing.calls

    return polls
