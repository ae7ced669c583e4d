"""How long runs are expected to take: by their own limit, or by how long earlier ones of their kind took.

Where neither tells, nothing is said.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

from nexus_async.cli.times import seconds_between
from nexus_async.models.run import FINISHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nexus_async.cli.board import Row
    from nexus_async.models.run import Run

_Kind = tuple[str, object, object]


class Course(NamedTuple):
    """How far a run is."""

    done: float | None = None
    """The share that is done, from 0 to 1; None where it is not known."""
    left: float | None = None
    """Seconds that are left; None where they are not known."""


UNKNOWN = Course()


class Expectations:
    """Know what runs of a kind took: those of one workflow, with one limit, on one accelerator."""

    def __init__(self, runs: Iterable[Run]) -> None:
        lasted: dict[_Kind, list[float]] = {}
        for run in runs:
            seconds = seconds_between(run.create_date, run.status.update_date)
            if run.status.overview == FINISHED and seconds is not None:
                lasted.setdefault(_kind(run), []).append(seconds)
        self._seconds = {kind: statistics.median(taken) for kind, taken in lasted.items()}

    def course(self, row: Row, *, now: float) -> Course:
        """Return how far a run is at `now`, in seconds since the Unix epoch.

        A limit in minutes tells it, from its change to `Running` on. Else earlier runs of the kind do. Else a
        limit in epochs does, where no step is beyond it: a step counts as an epoch then, as at a local Nexus.
        """
        run = row.run
        if run is None or run.status.overview != "Running":
            return UNKNOWN
        limit = run.execution.limit
        if limit is not None and limit.metric == "LIM_MINUTE":
            return _of_time(now - run.status.update_date / 1000, limit.value * 60.0)
        if (seconds := self._seconds.get(_kind(run))) is not None:
            return _of_time(now - run.create_date / 1000, seconds)
        if limit is not None and limit.metric == "LIM_EPOCHS":
            return _of_steps(row, limit.value)
        return UNKNOWN


def _of_time(passed: float, whole: float) -> Course:
    if not 0 <= passed <= whole or whole <= 0:
        return UNKNOWN  # it takes longer than was expected, or a clock is wrong
    return Course(passed / whole, whole - passed)


def _of_steps(row: Row, epochs: int) -> Course:
    if row.step is None or not 0 <= row.step <= epochs:
        return UNKNOWN
    left = (epochs - row.step) / row.rate if row.rate else None
    return Course(row.step / epochs, left)


def _kind(run: Run) -> _Kind:
    return run.flow_id, run.execution.limit, run.execution.accelerator
