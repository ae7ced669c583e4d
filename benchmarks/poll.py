"""CPU time of the client's process for one poll of a log that has no news, served by another process.

Measured against the official client's `get_logs`, which decodes the whole log every time, and against bare
aiohttp that reads the body and discards it: less than that cannot be had without the server's help.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from benchmarks.child import OFFICIAL_PYTHON, Child, child
from benchmarks.measure import in_turns, print_table, print_target, ratio, spread

if TYPE_CHECKING:
    from collections.abc import Callable

TITLE = "CPU time of a poll without news, in milliseconds: median [least-greatest]"

ROUNDS = 7
CALLS = {1_000: 60, 10_000: 12, 100_000: 3}
"""Polls of a batch, by the entries of the log."""
OFFICIAL_LIMIT = {1_000: 0.022, 10_000: 0.010, 100_000: 0.007}
BARE_LIMIT = 1.15
SIDES = ("nexus-async", "bare aiohttp", "official")


def main() -> None:
    if not OFFICIAL_PYTHON.exists():
        raise SystemExit(f"{OFFICIAL_PYTHON} is missing: `make bench` installs the official client there")
    with ExitStack() as stack:
        target = stack.enter_context(child("benchmarks.serve_logs")).read()
        workers = {
            SIDES[0]: _worker(stack, "benchmarks.workers.polls", target, "ours"),
            SIDES[1]: _worker(stack, "benchmarks.workers.polls", target, "bare"),
            SIDES[2]: _worker(stack, "benchmarks.workers.official_logs", target, None),
        }
        taken = {size: _measure(workers, size, target["logs"][str(size)]) for size in CALLS}
    _report(taken)


def _worker(stack: ExitStack, module: str, target: object, side: str | None) -> Child:
    python = {"python": OFFICIAL_PYTHON} if side is None else {}
    worker = stack.enter_context(child(module, **python))
    worker.tell(target)
    if side is not None:
        worker.tell(side)
    return worker


def _measure(workers: dict[str, Child], size: int, log_id: str) -> dict[str, list[float]]:
    return in_turns(ROUNDS, {name: _batch(worker, CALLS[size], log_id) for name, worker in workers.items()})


def _batch(worker: Child, calls: int, log_id: str) -> Callable[[], float]:
    """Return what runs one batch and gives the milliseconds a poll."""
    return lambda: float(worker.ask([calls, log_id])) / calls * 1e3


def _report(taken: dict[int, dict[str, list[float]]]) -> None:
    rows = [
        [f"{size:,} entries, {name}", f"{spread(costs):.3f}", f"{ratio(costs, sides[SIDES[2]]):.4f}"]
        for size, sides in taken.items()
        for name, costs in sides.items()
    ]
    print_table(["log and side", "ms CPU a poll", "/ official"], rows)
    print()
    for size, sides in taken.items():
        ours, bare, official = (sides[name] for name in SIDES)
        print_target(f"{size:,} entries, nexus-async / official", ratio(ours, official), OFFICIAL_LIMIT[size], 4)
        print_target(f"{size:,} entries, nexus-async / bare aiohttp", ratio(ours, bare), BARE_LIMIT)
