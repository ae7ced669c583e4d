"""The whole course of a run, as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd


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
        import pandas as pd  # noqa: PLC0415 - heavy, and the user's own

        times = pd.to_datetime(self.times, unit="s", utc=True)
        return pd.DataFrame({"step": self.steps, "time": times, **self.metrics})


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
