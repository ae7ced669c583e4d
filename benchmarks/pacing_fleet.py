"""Many runs under one budget, in simulated time."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.pacing_replay import Outcome
from nexus_async.pacing import Adaptive, Fleet, ServerClock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from random import Random

SHORTEST, LONGEST = 5.0, 600.0
BYTES_AN_ENTRY = 288


@dataclass(frozen=True)
class Budget:
    """What may be used a second, and what a request is worth at least, in seconds of delay."""

    requests_per_second: float
    bytes_per_second: float = 1e12
    price: float = 1.0

    def __str__(self) -> str:
        bytes_ = f", {self.bytes_per_second / 1e6:.0f} MB/s" if self.bytes_per_second < 1e12 else ""
        return f"{self.requests_per_second:.0f}/s{bytes_}, price from {self.price:g} s"


@dataclass
class Course:
    """What following a fleet came to."""

    delays: Outcome
    moved: int
    price: float
    cpu: float
    seconds: float

    def row(self) -> list[str]:
        return [
            f"{self.delays.polls / self.seconds:.1f}",
            f"{self.moved / self.seconds / 1e6:.2f}",
            f"{self.price:.2f}",
            *self.delays.row(),
            f"{self.cpu / self.delays.polls * 1e6:.0f}",
        ]


def shaped_runs(
    traces: Mapping[str, Sequence[float]], runs: int, seconds: float, random: Random
) -> list[list[float]]:
    """Return event times of runs whose intervals are a trace's, from a random one on, scaled to a random mean."""
    shapes = [[after - before for before, after in pairwise(t)] for t in traces.values()]
    return [_shaped_run(random.choice(shapes), seconds, random) for _ in range(runs)]


def _shaped_run(shape: Sequence[float], seconds: float, random: Random) -> list[float]:
    mean = math.exp(random.uniform(math.log(SHORTEST), math.log(LONGEST)))
    scale = mean / statistics.fmean(shape)
    now, at, times = random.uniform(0, mean), random.randrange(len(shape)), []
    while now < seconds:
        times.append(now)
        now += shape[at % len(shape)] * scale
        at += 1
    return times


def follow(runs: Sequence[Sequence[float]], budget: Budget, seconds: float, random: Random) -> Course:
    """Spend a budget on the runs, a request as soon as both of its parts permit one."""
    fleet = Fleet(
        Adaptive(budget.price),
        ServerClock(),
        requests_per_second=budget.requests_per_second,
        bytes_per_second=budget.bytes_per_second,
        jitter=lambda pause: random.uniform(0, pause),
    )
    names = {str(number): number for number in range(len(runs))}
    for name in names:
        fleet.add(name, 0.0)
    position, previous = [0] * len(runs), [-math.inf] * len(runs)
    outcome, moved, now, begun = Outcome(), 0, 0.0, time.process_time()
    while (now := max(now, fleet.next_due(now) or 0.0)) < seconds:
        taken = fleet.take(now)
        if taken is None:
            raise RuntimeError(f"nobody was ready at {now}, although {fleet!r} said so")
        number = names[taken]
        start = end = position[number]
        events = runs[number]
        while end < len(events) and events[end] <= now:
            outcome.delays.append(now - events[end])
            end += 1
        size = BYTES_AN_ENTRY * end
        fleet.done(taken, previous[number], now, events[start:end], size)
        position[number], previous[number] = end, now
        outcome.polls, moved = outcome.polls + 1, moved + size
        now += max(1 / budget.requests_per_second, size / budget.bytes_per_second)
    return Course(outcome, moved, fleet.price or 0.0, time.process_time() - begun, seconds)


def round_robin_interval(runs: Sequence[Sequence[float]], budget: Budget) -> float:
    """Return after how many seconds it is a run's turn again; bodies grow, so by what they are half-way."""
    bytes_a_round = sum(BYTES_AN_ENTRY * len(events) / 2 for events in runs)
    return max(len(runs) / budget.requests_per_second, bytes_a_round / budget.bytes_per_second)
