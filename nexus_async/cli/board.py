"""What is known of the runs that are followed: the state that tables and lines are drawn from."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from nexus_async.cli.curve import Curve
from nexus_async.cli.expectation import Expectations
from nexus_async.events import Checkpoint, RunAdded, RunEnded, StatusChanged
from nexus_async.models.run import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nexus_async.cli.expectation import Course
    from nexus_async.events import Event
    from nexus_async.models.run import Run
    from nexus_async.streaming import RunStats

METRIC: Final = "totalLoss"
MOST_REMARKS: Final = 5
_RECENT: Final = 16
"""Checkpoints by which the rate of a run is told."""


@dataclass
class Row:
    """Hold what is known of one run."""

    run_id: str
    workflow: str
    status: str
    curve: Curve = field(default_factory=lambda: Curve(METRIC))
    step: int | None = None
    accuracy: float = math.nan
    time: float | None = None
    """When the last checkpoint was written, in seconds since the Unix epoch."""
    run: Run | None = None
    """The run as it was last told."""
    log_bytes: int | None = None
    """The size of its logs; None until it is known."""
    _recent: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_RECENT))

    @property
    def is_over(self) -> bool:
        """Tell whether it has ended."""
        return self.status in TERMINAL

    @property
    def loss(self) -> float | None:
        """Return the last value of the metric; None before the first."""
        return self.curve.last

    @property
    def best(self) -> float | None:
        """Return the best value of the metric; None before the first finite one."""
        return self.curve.best

    @property
    def rate(self) -> float | None:
        """Return the steps a second of late; None before the second checkpoint, and once it is over."""
        if self.is_over or len(self._recent) < 2:  # noqa: PLR2004 - what a rate takes
            return None
        (begun, first), (now, last) = self._recent[0], self._recent[-1]
        return (last - first) / (now - begun) if now > begun and last > first else None

    def note_status(self, run: Run) -> None:
        """Take in how the run stands."""
        self.run, self.status = run, run.status.overview

    def note(self, checkpoint: Checkpoint, metric: str) -> None:
        """Take in a checkpoint."""
        self.step, self.time = checkpoint.step, checkpoint.time
        self.curve.add(checkpoint.metrics.get(metric, math.nan))
        self.accuracy = checkpoint.metrics.get("accuracy", math.nan)
        if checkpoint.time is not None:
            self._recent.append((checkpoint.time, checkpoint.step))


class Board:
    """Hold a row for each run, in the order they were added, and remarks on them.

    `metric` is what the curves are of. `runs` are those known so far: they tell what to expect of others, and of
    one that is resumed what no event tells again.
    """

    def __init__(self, *, metric: str = METRIC, runs: Mapping[str, Run] | None = None) -> None:
        self.metric = metric
        self.titles: dict[str, str] = {}
        """What workflows are called, by their IDs."""
        self.rows: dict[str, Row] = {}
        self.remarks: deque[str] = deque(maxlen=MOST_REMARKS)
        self.footer = ""
        """One more line, of the whole."""
        self._known = dict(runs or {})
        self._expectations = Expectations(self._known.values())

    def take(self, event: Event) -> None:
        """Take an event in: a run that is added, a status, a checkpoint or an end. Others change nothing."""
        match event:
            case RunAdded(run=run) | StatusChanged(run=run) | RunEnded(run=run):
                self._known[run.id] = run
                self._row(run.id).note_status(run)
            case Checkpoint():
                self._row(event.run_id).note(event, self.metric)

    def note_stats(self, stats: Mapping[str, RunStats]) -> None:
        """Take in how following the runs is doing."""
        for run_id, of_run in stats.items():
            if run_id in self.rows:
                self.rows[run_id].log_bytes = of_run.log_bytes

    def course(self, row: Row, *, now: float) -> Course:
        """Return how far a run is, and how long it is expected to go on."""
        return self._expectations.course(row, now=now)

    def most_accurate(self) -> Row | None:
        """Return the finished run whose last checkpoint is the most accurate; None where none finished."""
        finished = [row for row in self.rows.values() if row.status == "Finished" and row.accuracy >= 0]
        return max(finished, key=lambda row: row.accuracy, default=None)

    def _row(self, run_id: str) -> Row:
        if (row := self.rows.get(run_id)) is None:
            run = self._known.get(run_id)
            flow_id = run.flow_id if run else ""
            status = run.status.overview if run else ""
            row = Row(run_id, self.titles.get(flow_id, flow_id), status, Curve(self.metric), run=run)
            self.rows[run_id] = row
        return row


def diverges(row: Row, *, factor: float = 10.0) -> bool:
    """Tell whether a training runs away: its loss is no number, or `factor` times its best."""
    if row.loss is None:
        return False
    return not math.isfinite(row.loss) or (row.best is not None and row.loss > factor * row.best)
