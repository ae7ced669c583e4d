"""The course of a run as columns that a page can draw: no more points than it has use for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nexus_async.events import Checkpoint

DIGITS: Final = 5
"""Significant digits of a value: what Nexus itself prints, and more than a curve shows."""
LEADING: Final = "totalLoss"
"""The metric that says which checkpoints are worth keeping."""
MOST_KEPT: Final = 4_000
"""Checkpoints of a run that are kept: twice what a wide screen has columns for."""

Value = float | None
"""A metric at a checkpoint; None where that lacks it."""


class Curve:
    """Hold the checkpoints of a run as columns, thinned out where there are too many of them."""

    def __init__(self, *, most: int = MOST_KEPT) -> None:
        self._most = most
        self.count = 0
        """How many checkpoints there were."""
        self.steps: list[int] = []
        self.times: list[Value] = []
        self.metrics: dict[str, list[Value]] = {}

    def add(self, checkpoint: Checkpoint) -> None:
        """Take a checkpoint in."""
        for name in checkpoint.metrics:
            self.metrics.setdefault(name, [None] * len(self.steps))
        for name, column in self.metrics.items():
            column.append(checkpoint.metrics.get(name))
        self.steps.append(checkpoint.step)
        self.times.append(checkpoint.time)
        self.count += 1
        if len(self.steps) > 2 * self._most:
            self._keep(self._worth_keeping(self._most))

    def written(self, most: int) -> dict[str, Any]:
        """Return the columns as JSON takes them, of at most `most` checkpoints (and three at least)."""
        kept = self._worth_keeping(most)
        return {
            "count": self.count,
            "steps": [self.steps[at] for at in kept],
            "times": [_rounded(self.times[at]) for at in kept],
            "metrics": {name: [written(column[at]) for at in kept] for name, column in self.metrics.items()},
        }

    def _worth_keeping(self, most: int) -> list[int]:
        leading = leading_metric(self.metrics)
        return kept_indexes(self.metrics[leading] if leading else self.steps, most)

    def _keep(self, kept: Sequence[int]) -> None:
        self.steps = [self.steps[at] for at in kept]
        self.times = [self.times[at] for at in kept]
        self.metrics = {name: [column[at] for at in kept] for name, column in self.metrics.items()}


def leading_metric(names: Iterable[str]) -> str | None:
    """Choose the metric to go by: the total loss, else the first that is a loss, else the first."""
    names = list(names)
    losses = [name for name in names if "loss" in name.lower()]
    return LEADING if LEADING in names else next(iter(losses or names), None)


def kept_indexes(values: Sequence[Value], most: int) -> list[int]:
    """Choose about `most` of the values: the first, the last, and of each stretch the lowest and the highest.

    What is no finite number counts as the highest: it must not vanish.
    """
    if len(values) <= most:
        return list(range(len(values)))
    stretches = max(1, (most - 2) // 2)
    kept = {0, len(values) - 1}
    for i in range(stretches):
        stretch = range(i * len(values) // stretches, (i + 1) * len(values) // stretches)
        kept.add(min(stretch, key=lambda at: _height(values[at])))
        kept.add(max(stretch, key=lambda at: _height(values[at])))
    return sorted(kept)


def written(value: Value) -> float | str | None:
    """Write a value in few digits; one that is not finite is text, as everywhere in this package."""
    if value is None:
        return None
    if math.isfinite(value):
        short = float(f"{value:.{DIGITS}g}")
        return int(short) if short.is_integer() and abs(short) < 10**DIGITS else short
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _rounded(time: Value) -> Value:
    return None if time is None or not math.isfinite(time) else round(time, 1)


def _height(value: Value) -> float:
    return value if value is not None and math.isfinite(value) else math.inf
