"""The whole course of a run, as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.errors import InvalidArgumentError
from nexus_async.models.drawing import block, curves
from nexus_async.models.needed import needed
from nexus_async.models.plotting import plot_curves

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

MOST_CURVES: Final = 12
"""Metrics that a notebook shows at a glance."""


class RunHistory(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Hold the checkpoints of a run as columns of one length, oldest first."""

    run_id: str
    steps: list[int]
    """As the training counts; a resumed training goes back in them."""
    times: list[float]
    """Seconds since the Unix epoch by the server's clock; NaN where an entry has no sound time."""
    metrics: dict[str, list[float]]
    """Name to values, NaN where a checkpoint lacks the metric."""

    def __len__(self) -> int:
        return len(self.steps)

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame: a row a checkpoint, the columns `step`, `time` (UTC) and the metrics.

        Raises `ModuleNotFoundError` where pandas is not installed.
        """
        pandas = needed("pandas", "RunHistory.to_pandas()")
        times = pandas.to_datetime(self.times, unit="s", utc=True)
        return pandas.DataFrame({"step": self.steps, "time": times, **self.metrics})

    def plot(self, *metrics: str, ax: Axes | None = None) -> Axes:
        """Draw metrics, all of them where none is named, over steps with matplotlib, and return the axes.

        They are drawn into `ax`, or into a new figure. Raises `InvalidArgumentError` for a metric that the run
        does not have, `ModuleNotFoundError` where matplotlib is not installed.
        """
        for name in metrics:
            if name not in self.metrics:
                raise InvalidArgumentError(f"no metric {name!r}: there are {', '.join(self.metrics) or 'none'}")
        columns = [(name, self.metrics[name]) for name in metrics or self.metrics]
        return plot_curves(self.steps, columns, title=self.run_id, ax=ax)

    def _repr_html_(self) -> str:
        shown = list(self.metrics.items())[:MOST_CURVES]
        more = len(self.metrics) - len(shown)
        count = "1 checkpoint" if len(self) == 1 else f"{len(self)} checkpoints"
        rest = f"<small>{more} metrics more</small>" if more else ""
        return block(f"{self.run_id}: {count}", curves(self.steps, shown), rest)


def history_of(run_id: str, checkpoints: Iterable[tuple[int, float | None, dict[str, float]]]) -> RunHistory:
    """Make columns of checkpoints, each its step, its time in seconds and its metrics."""
    steps: list[int] = []
    times: list[float] = []
    metrics: dict[str, list[float]] = {}
    for step, time, values in checkpoints:
        for name in values:
            metrics.setdefault(name, [math.nan] * len(steps))
        for name, column in metrics.items():
            column.append(values.get(name, math.nan))
        steps.append(step)
        times.append(math.nan if time is None else time)
    return RunHistory(run_id=run_id, steps=steps, times=times, metrics=metrics)
