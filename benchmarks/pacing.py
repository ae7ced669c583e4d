"""The adaptive pacing against a fixed interval of as many requests, and a fleet of runs against round robin.

The events are those of real training runs, whose sources and licences stand at the head of each file in
`pacing_traces`. Time is simulated: nothing is sent, nobody waits, and a seed repeats every figure.
"""

from __future__ import annotations

import math
import pathlib
import time
from itertools import accumulate
from random import Random
from typing import NamedTuple

from benchmarks.measure import print_table, print_target, spread
from benchmarks.pacing_fleet import Budget, follow, round_robin_interval, shaped_runs
from benchmarks.pacing_replay import Outcome, fixed_with, replay
from nexus_async.pacing import Adaptive, ServerClock

TITLE = "delay of an event, and requests, by simulated polling of recorded runs"

TRACES = pathlib.Path(__file__).parent / "pacing_traces"
PHASES = 5
RUNS = 1000
HOUR = 3600.0
FLEETS = (
    Budget(5),
    Budget(20),
    Budget(50),
    Budget(100, price=0.05),
    Budget(50, bytes_per_second=1_000_000),
)


def main() -> None:
    traces = load_traces()
    _report_single("recorded runs", traces, limit=(0.17, 0.32))
    for skew in (5.0, -5.0):
        _report_single(f"recorded runs, server ahead by {skew:+.0f} s", traces, skew=skew, limit=(0.17, 0.32))
    _report_single("memoryless arrivals, one a minute", _memoryless(Random(1)), limit=(1.1, None))
    _report_cpu(Random(1))
    _report_fleets(traces)


def load_traces() -> dict[str, list[float]]:
    """Read the event times of each recorded run, in seconds since the run was first heard of."""
    traces = {}
    for path in sorted(TRACES.glob("*.csv")):
        lines = path.read_text().splitlines()
        traces[path.stem] = [float(line) / 1000 for line in lines if line[:1].isdigit()]
    return traces


def _memoryless(random: Random, runs: int = 20, events: int = 500) -> dict[str, list[float]]:
    waits = {f"memoryless_{run}": [random.expovariate(1 / 60) for _ in range(events)] for run in range(runs)}
    return {run: list(accumulate(times)) for run, times in waits.items()}


def _report_single(
    what: str, runs: dict[str, list[float]], *, limit: tuple[float, float | None], skew: float = 0.0
) -> None:
    outcome = Outcome()
    for name, events in runs.items():
        for phase in range(PHASES):
            first = Random(f"{name}{phase}").uniform(0, 5)
            outcome += replay(events, first, Adaptive().for_run(ServerClock()), skew=skew)
    fixed, interval = fixed_with(runs, outcome.polls_per_event)
    print(f"{what}: {outcome.polls_per_event:.2f} requests an event, as every {interval:.1f} s")
    print_table(
        ["delay in seconds", "mean", "p95"],
        [["adaptive", *outcome.row()], ["fixed interval", *fixed.row()]],
    )
    for name, ours, theirs, most in (
        ("mean", outcome.mean, fixed.mean, limit[0]),
        ("p95", outcome.p95, fixed.p95, limit[1]),
    ):
        if most is not None:
            print_target(f"{name} delay, adaptive / fixed, {ours / theirs:.3f},", spread([ours / theirs]), most)
    print()


class _Cpu(NamedTuple):
    """Microseconds of one poll's decision."""

    quiet: float
    news: float


def _report_cpu(random: Random) -> None:
    costs = [_cpu(random) for _ in range(25)]
    for what, taken, limit in (
        ("a poll without news", [cost.quiet for cost in costs], 15.0),
        ("a poll that brings an interval", [cost.news for cost in costs], 50.0),
    ):
        print_target(f"CPU of {what}, in us", spread(taken), limit)
    print()


def _cpu(random: Random, rounds: int = 200) -> _Cpu:
    pacing, now, quiet, news = Adaptive().for_run(ServerClock()), 0.0, 0.0, 0.0
    for _ in range(rounds):
        now += random.gauss(40, 2)
        begun = time.process_time()
        pacing.seen(now - 2, now - 1, ())
        pacing.next_poll(now - 1)
        turned = time.process_time()
        pacing.seen(now - 1, now + 1, [now])
        pacing.next_poll(now + 1)
        news += time.process_time() - turned
        quiet += turned - begun
    return _Cpu(quiet / rounds * 1e6, news / rounds * 1e6)


def _report_fleets(traces: dict[str, list[float]]) -> None:
    runs = shaped_runs(traces, RUNS, HOUR, Random(1))
    events = sum(map(len, runs)) / HOUR
    print(f"{RUNS:,} runs with the recorded shapes, intervals of 5 to 600 s, {events:.0f} events/s, for an hour")
    rows, at_50 = [], None
    for budget in FLEETS:
        course = follow(runs, budget, HOUR, Random(1))
        robin = round_robin_interval(runs, budget)
        rows.append([str(budget), *course.row(), f"{robin / 2:.1f}", f"{robin * 0.95:.1f}"])
        if budget == Budget(50):
            at_50 = course.delays.mean / (robin / 2), course.delays.p95 / (robin * 0.95)
    print_table(
        ["budget", "requests/s", "MB/s", "price s", "mean s", "p95 s", "us a poll", "robin: mean", "p95"], rows
    )
    print()
    mean, p95 = at_50 or (math.nan, math.nan)
    print_target("mean delay at 50 requests/s, fleet / round robin", spread([mean]), 0.35)
    print_target("p95 delay at 50 requests/s, fleet / round robin", spread([p95]), 0.30)
