"""What is known of the runs that are followed: the state that tables and lines are drawn from."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nexus_async.events import Checkpoint, RunAdded, RunEnded, StatusChanged

if TYPE_CHECKING:
    from nexus_async.events import Event

METRIC: Final = "totalLoss"


@dataclass
class Row:
    """Hold what is known of one run."""

    run_id: str
    workflow: str
    status: str
    step: int | None = None
    losses: list[float] = field(default_factory=list)
    accuracy: float = math.nan
    time: float | None = None
    """When the last checkpoint was written, in seconds since the Unix epoch."""

    @property
    def loss(self) -> float | None:
        """Return the last loss; None before the first."""
        return self.losses[-1] if self.losses else None

    @property
    def best(self) -> float | None:
        """Return the lowest loss; None before the first finite one."""
        return min((loss for loss in self.losses if math.isfinite(loss)), default=None)


class Board:
    """Hold a row for each run, in the order they were added, and remarks on them."""

    def __init__(self) -> None:
        self.titles: dict[str, str] = {}
        """What workflows are called, by their IDs."""
        self.rows: dict[str, Row] = {}
        self.remarks: list[str] = []

    def take(self, event: Event) -> None:
        """Take an event in: a run that is added, a status, a checkpoint or an end. Others change nothing."""
        match event:
            case RunAdded(run=run):
                title = self.titles.get(run.flow_id, run.flow_id)
                self.rows[run.id] = Row(run.id, title, run.status.overview)
            case StatusChanged(run=run) | RunEnded(run=run):
                self.rows[run.id].status = run.status.overview
            case Checkpoint():
                self._note(event)

    def _note(self, checkpoint: Checkpoint) -> None:
        row = self.rows[checkpoint.run_id]
        row.step, row.time = checkpoint.step, checkpoint.time
        row.losses.append(checkpoint.metrics.get(METRIC, math.nan))
        row.accuracy = checkpoint.metrics.get("accuracy", math.nan)

    def most_accurate(self) -> Row | None:
        """Return the finished run whose last checkpoint is the most accurate; None where none finished."""
        finished = [row for row in self.rows.values() if row.status == "Finished" and row.accuracy >= 0]
        return max(finished, key=lambda row: row.accuracy, default=None)


def diverges(losses: list[float], *, factor: float = 10.0) -> bool:
    """Tell whether a training runs away: its loss is no number, or `factor` times its best."""
    if not losses:
        return False
    return not math.isfinite(losses[-1]) or losses[-1] > factor * min(losses)
