"""What is known of the runs that are followed: the state that a page begins with."""

from __future__ import annotations

import json
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nexus_async.dashboard.curve import MOST_KEPT, Curve
from nexus_async.events import (
    CaughtUp,
    Checkpoint,
    Disconnected,
    Event,
    FollowFailed,
    ProjectUnavailable,
    Reconnected,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    StatusChanged,
    encode_event,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.models.run import Run

MOST_EVENTS: Final = 200
"""Events of the past that a page is told of; a checkpoint is in its curve."""
MOST_VALUES: Final = 200_000
"""Values of metrics that a page begins with, over all runs: about 1.5 MB."""
FEWEST_POINTS: Final = 50
MOST_ROWS: Final = 500
"""Runs that are kept: for each one more, the oldest that is over is forgotten."""


class Row:
    """Hold what is known of one run."""

    def __init__(self, run: Run, *, label: str | None = None, curve: Curve | None = None) -> None:
        self.run = run
        self.label = label
        self.curve = Curve() if curve is None else curve
        self.failure: str | None = None
        """Why it cannot be followed; None while it can."""
        self.is_followed = True

    def follow(self, run: Run) -> None:
        """Note that it is followed from now on."""
        self.run, self.is_followed, self.failure = run, True, None

    def written(self, most: int, title: str | None = None) -> dict[str, Any]:
        """Return the row as a page takes it, with at most `most` checkpoints."""
        return {
            "run": msgspec.to_builtins(self.run),
            "label": self.label,
            "title": title,
            "failure": self.failure,
            "followed": self.is_followed,
            **self.curve.written(most),
        }


class Board:
    """Hold a row for each run, in the order in which they were added, and what else a page begins with."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.rows: dict[str, Row] = {}
        self._events: deque[tuple[float, Event]] = deque(maxlen=MOST_EVENTS)
        self._outage: Disconnected | None = None
        self._refused: dict[str, str] = {}

    def take(self, event: Event) -> None:
        """Take an event in."""
        if not isinstance(event, (Checkpoint, CaughtUp)):
            self._events.append((self._clock(), event))
        match event:
            case RunAdded(run=run, label=label):
                self.rows.setdefault(run.id, Row(run, label=label)).follow(run)
                self._forget_one_too_many()
            case Disconnected():
                self._outage = event
            case Reconnected():
                self._outage = None
            case ProjectUnavailable(project_id=project_id, error=error):
                self._refused[project_id] = error
            case RunEvent(run_id=run_id) if run_id in self.rows:
                _take(event, self.rows[run_id])

    def written(self) -> dict[str, Any]:
        """Return all of it as a page takes it."""
        return {
            "runs": rows_written(list(self.rows.values()), {}, values=MOST_VALUES),
            "events": [{"at": at, "event": json.loads(encode_event(event))} for at, event in self._events],
            "outage": None if self._outage is None else msgspec.to_builtins(self._outage),
            "refused": self._refused,
        }

    def _forget_one_too_many(self) -> None:
        over = (run_id for run_id, row in self.rows.items() if row.run.status.is_terminal)
        if len(self.rows) > MOST_ROWS and (oldest := next(over, None)) is not None:
            del self.rows[oldest]


def rows_written(rows: list[Row], titles: dict[str, str], *, values: int) -> list[dict[str, Any]]:
    """Return rows as a page takes them, of so many values of metrics in all."""
    most = MOST_KEPT
    columns = sum(len(row.curve.metrics) + 2 for row in rows)
    if columns:
        most = max(FEWEST_POINTS, min(most, values // columns))
    return [row.written(most, titles.get(row.run.flow_id)) for row in rows]


def _take(event: RunEvent, row: Row) -> None:
    match event:
        case StatusChanged(run=run) | RunEnded(run=run):
            row.run, row.failure = run, None
        case Checkpoint():
            row.curve.add(event)
            row.failure = None
        case FollowFailed(error=error):
            row.failure = error
        case RunRemoved():
            row.is_followed = False
