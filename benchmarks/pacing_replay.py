"""One run at a time, polled in simulated time until its last event was seen."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from nexus_async.pacing import FixedInterval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nexus_async.pacing import RunPacing

PHASES = 5


@dataclass
class Outcome:
    """How many polls were made, and how long each event waited to be seen, in seconds."""

    polls: int = 0
    delays: list[float] = field(default_factory=list)

    def __iadd__(self, other: Outcome) -> Self:
        self.polls += other.polls
        self.delays += other.delays
        return self

    @property
    def polls_per_event(self) -> float:
        return self.polls / len(self.delays)

    @property
    def mean(self) -> float:
        return statistics.fmean(self.delays)

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.delays, n=20)[-1]

    def row(self) -> tuple[str, str]:
        return f"{self.mean:.2f}", f"{self.p95:.2f}"


def replay(events: Sequence[float], first: float, pacing: RunPacing, *, skew: float = 0.0) -> Outcome:
    """Poll from `first` on, while the server's clock is `skew` seconds ahead."""
    outcome, position = Outcome(), 0
    previous, now = -math.inf, first
    while position < len(events):
        outcome.polls += 1
        start = position
        while position < len(events) and events[position] <= now:
            outcome.delays.append(now - events[position])
            position += 1
        pacing.seen(previous, now, [t + skew for t in events[start:position]])
        previous, now = now, pacing.next_poll(now)
    return outcome


def fixed_with(runs: Mapping[str, Sequence[float]], polls_per_event: float) -> tuple[Outcome, float]:
    """Return what a fixed interval reaches with as many polls an event, and that interval in seconds."""
    low, high = 0.1, 3600.0
    while high / low > 1.001:
        middle = math.sqrt(low * high)
        more = _fixed(runs, middle).polls_per_event > polls_per_event
        low, high = (middle, high) if more else (low, middle)
    return _fixed(runs, low), low


def _fixed(runs: Mapping[str, Sequence[float]], interval: float) -> Outcome:
    pacing, outcome = FixedInterval(interval, jitter=0), Outcome()
    for events in runs.values():
        for phase in range(PHASES):
            outcome += replay(events, interval * (phase + 0.5) / PHASES, pacing)
    return outcome
