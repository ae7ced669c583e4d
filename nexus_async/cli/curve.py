"""A metric over the course of a run, in bounded room."""

from __future__ import annotations

import math
from typing import Final

from nexus_async.cli.sparkline import sparkline
from nexus_async.cli.visible import visible

MOST_POINTS: Final = 128
"""Points that are kept: more than any terminal draws of one run."""


def falls(metric: str) -> bool:
    """Tell whether less of a metric is better: where its name speaks of a loss or an error."""
    name = metric.casefold()
    return "loss" in name or "error" in name


def title_of(metric: str) -> str:
    """Return what a metric is called where it is shown."""
    return "loss" if metric == "totalLoss" else visible(metric)


class Curve:
    """Keep the last value, the best one, and so many points in between that the course can be drawn."""

    __slots__ = ("_drawn", "_drawn_at", "_is_falling", "_stride", "best", "count", "last", "metric", "points")

    def __init__(self, metric: str) -> None:
        self.metric = metric
        self._is_falling = falls(metric)
        self._stride = 1
        self._drawn, self._drawn_at = "", (0, 0)
        self.points: list[float] = []
        """The course, evenly thinned; the last point is always that of the last value."""
        self.count = 0
        """How many values came."""
        self.last: float | None = None
        """The last value; None before the first."""
        self.best: float | None = None
        """The best finite value; None before the first."""

    def add(self, value: float) -> None:
        """Take in the next value."""
        if self.count % self._stride == 0:
            self._make_room()
            self.points.append(value)
        else:
            self.points[-1] = value
        self.count += 1
        self.last = value
        if math.isfinite(value) and (self.best is None or self._is_better(value, self.best)):
            self.best = value

    def drawn(self, width: int) -> str:
        """Return the course in at most `width` characters. It is drawn anew only where there is more of it."""
        if self._drawn_at != (self.count, width):
            self._drawn = sparkline(self.points, width) if width else ""
            self._drawn_at = (self.count, width)
        return self._drawn

    def _is_better(self, value: float, best: float) -> bool:
        return value < best if self._is_falling else value > best

    def _make_room(self) -> None:
        if len(self.points) == MOST_POINTS:
            self.points = self.points[1::2]
            self._stride *= 2
