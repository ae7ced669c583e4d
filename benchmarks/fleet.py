"""Watching many runs: what a poll costs, what a run holds, and how late an entry is handed out.

The server is as light as can be and runs in a process of its own; what is measured is the CPU time of the process
that polls. Held up is the longest stretch of CPU for which the loop came to no other task.
"""

from __future__ import annotations

import contextlib
import math
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.child import Child, child
from benchmarks.feed_fleet import follow_with_engine
from benchmarks.feed_memory import bytes_a_run
from benchmarks.measure import in_turns, print_table, print_target, ratio, spread
from benchmarks.pacing import load_traces
from benchmarks.pacing_fleet import Budget, round_robin_interval, shaped_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "watching many runs: polls a second, bytes a run, delay over the engine and over sockets"
RUNS = 10_000
POLLS = 3_000
ROUNDS = 15
FLEET = 1_000
HOUR = 3_600.0
SPEED = 8.0
"""How much faster than ours the clock of server and client is, end to end."""
SOCKET_SECONDS = 900.0
BUDGET = Budget(50)


def main() -> None:
    _report_polls()
    print_target("bytes of a watched run, all told", spread([bytes_a_run(FLEET)]), 4096, 0)
    traces = load_traces()
    _report_engine(traces)
    _report_sockets(traces)


def _report_polls() -> None:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(child("benchmarks.serve_fleet"))
        url = server.ask({"still": RUNS})["url"]
        sides: dict[str, Child] = {}
        for name, module, asked in (
            ("bare aiohttp, discarded", "fleet_bare", {"url": url, "runs": RUNS}),
            ("watch, fixed interval", "fleet_ours", {"url": url, "pacing": "fixed"}),
            ("watch, paced", "fleet_ours", {"url": url, "pacing": "adaptive"}),
        ):
            sides[name] = stack.enter_context(child(f"benchmarks.workers.{module}"))
            sides[name].ask(asked)
        taken = in_turns(ROUNDS, {name: _polls_of(side) for name, side in sides.items()})
    _print_polls(taken)


def _polls_of(side: Child) -> Callable[[], Any]:
    return lambda: side.ask(POLLS)


def _print_polls(taken: Mapping[str, list[list[float]]]) -> None:
    rates = {name: [POLLS / cpu for cpu, *_ in rounds] for name, rounds in taken.items()}
    held_up = {name: max(longest for _, longest, _ in rounds) * 1000 for name, rounds in taken.items()}
    collector = {name: max(longest for *_, longest in rounds) * 1000 for name, rounds in taken.items()}
    bare, fixed, paced = rates
    print(f"{RUNS:,} runs, logs of 200 entries, 32 in flight, no news after the first poll of each")
    print_table(
        ["", "polls a second of CPU", "of bare aiohttp", "held up, ms", "garbage collector, ms"],
        [
            [
                name,
                f"{spread(rate):,.0f}",
                f"{ratio(rate, rates[bare]):.2f}",
                f"{held_up[name]:.0f}",
                f"{collector[name]:.0f}",
            ]
            for name, rate in rates.items()
        ],
    )
    for name, least in ((fixed, 0.8), (paced, 0.65)):
        reached = ratio(rates[name], rates[bare])
        verdict = "reached" if reached.median >= least else "missed"
        print(f"target: polls of {name}, of bare aiohttp's, >= {least}: {verdict}, {reached:.2f}")
    print_target("held up by ours, ms", spread([max(held_up.values())]), 50.0, 0)
    print()


def _report_engine(traces: Mapping[str, list[float]]) -> None:
    runs = shaped_runs(traces, FLEET, HOUR, Random(1))
    outcome = follow_with_engine(runs, BUDGET, HOUR, seed=1)
    robin = round_robin_interval(runs, BUDGET)
    print(f"\n{FLEET:,} runs for an hour of virtual time, {BUDGET}, by the engine itself")
    print_table(
        ["delay in seconds", "mean", "p95"],
        [["watch", *outcome.row()[-2:]], ["round robin", f"{robin / 2:.1f}", f"{robin * 0.95:.1f}"]],
    )
    print_target("mean delay, watch / round robin", spread([outcome.mean / (robin / 2)]), 0.35)
    print_target("p95 delay, watch / round robin", spread([outcome.p95 / (robin * 0.95)]), 0.30)


def _report_sockets(traces: Mapping[str, list[float]]) -> None:
    runs = shaped_runs(traces, FLEET, SOCKET_SECONDS, Random(2))
    virtual = follow_with_engine(runs, BUDGET, SOCKET_SECONDS, seed=2)
    with child("benchmarks.serve_fleet") as server, child("benchmarks.workers.fleet_delays") as watching:
        url = server.ask({"timed": runs, "speed": SPEED})["url"]
        delays = watching.ask({"url": url, "speed": SPEED, "seconds": SOCKET_SECONDS, "seed": 2})
    mean = math.fsum(delays) / len(delays)
    print(f"\nthe same for {SOCKET_SECONDS:.0f} s over sockets, {SPEED:.0f} times as fast as it is")
    print_table(
        ["delay in seconds", "mean", "entries"],
        [
            ["watch over sockets", f"{mean:.2f}", f"{len(delays):,}"],
            ["watch on virtual time", f"{virtual.mean:.2f}", f"{len(virtual.delays):,}"],
        ],
    )
    print_target("mean delay, sockets / virtual time", spread([mean / virtual.mean]), 1.2)
