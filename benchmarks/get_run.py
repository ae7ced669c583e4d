"""CPU time of the client's process for one typed `runs.get`, answered by a local Nexus in another process.

Measured against a bare aiohttp session with msgspec's decoder for the same type, which is what a user would
write by hand, and against the official client, which blocks: one thread, and 32 threads that share a client.
CPU time rather than wall time, since both ends share this machine.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.child import OFFICIAL_PYTHON, Child, child
from benchmarks.measure import in_turns, print_table, print_target, ratio, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "CPU time of the client for a typed runs.get, in microseconds a call: median [least-greatest]"

STARTS = 5
"""Times that every worker is started anew: processes of the same code may differ for the whole of their lives."""
ROUNDS = 3
"""For each start."""
CALLS = 1600
"""A batch; a multiple of every number in flight."""


class Side(NamedTuple):
    """A way to get a run, and how many calls of it are under way."""

    name: str
    in_flight: int


OURS, BARE = "nexus-async", "aiohttp + msgspec"
OFFICIAL_1, OFFICIAL_32 = Side("official, 1 thread", 1), Side("official, 32 threads", 32)
SIDES = [Side(OURS, 1), Side(BARE, 1), OFFICIAL_1, Side(OURS, 16), Side(BARE, 16), OFFICIAL_32]


def main() -> None:
    if not OFFICIAL_PYTHON.exists():
        raise SystemExit(f"{OFFICIAL_PYTHON} is missing: `make bench` installs the official client there")
    taken: dict[Side, list[float]] = {side: [] for side in SIDES}
    with child("benchmarks.serve") as server:
        target = server.read()
        for _ in range(STARTS):
            for side, costs in _measure(target).items():
                taken[side] += costs
    _report(taken)


def _measure(target: object) -> dict[Side, list[float]]:
    with ExitStack() as stack:
        ours = stack.enter_context(child("benchmarks.workers.ours"))
        bare = stack.enter_context(child("benchmarks.workers.bare"))
        official = stack.enter_context(child("benchmarks.workers.official", python=OFFICIAL_PYTHON))
        for worker in (ours, bare, official):
            worker.tell(target)
        workers = {OURS: ours, BARE: bare, OFFICIAL_1.name: official, OFFICIAL_32.name: official}
        return in_turns(ROUNDS, {side: _batch(workers[side.name], side.in_flight) for side in SIDES})


def _batch(worker: Child, in_flight: int) -> Callable[[], float]:
    """Return what runs one batch and gives the microseconds a call."""
    return lambda: worker.ask([CALLS, in_flight]) / CALLS * 1e6


def _report(taken: Mapping[Side, list[float]]) -> None:
    print_table(
        ["side", "in flight", "us CPU a call", "/ bare aiohttp", "/ official 1 th.", "/ official 32 th."],
        [
            [
                side.name,
                str(side.in_flight),
                f"{spread(taken[side]):.0f}",
                f"{ratio(taken[side], taken[_bare_beside(side)]):.2f}",
                f"{ratio(taken[side], taken[OFFICIAL_1]):.2f}",
                f"{ratio(taken[side], taken[OFFICIAL_32]):.2f}",
            ]
            for side in SIDES
        ],
    )
    ours, bare = taken[Side(OURS, 16)], taken[Side(BARE, 16)]
    print()
    print_target("16 in flight, nexus-async / aiohttp + msgspec", ratio(ours, bare), 1.3)
    print_target("16 in flight, nexus-async / official, 1 thread", ratio(ours, taken[OFFICIAL_1]), 0.22)
    print_target("16 in flight, nexus-async / official, 32 threads", ratio(ours, taken[OFFICIAL_32]), 0.22)


def _bare_beside(side: Side) -> Side:
    return Side(BARE, min(side.in_flight, 16))
