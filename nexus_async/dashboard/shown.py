"""Which runs of a project are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nexus_async.models.run import Run


class Shown:
    """Take runs that are not over, those that were taken before, and a few that are over: `where` of a feed."""

    def __init__(self, run_ids: Iterable[str] = ()) -> None:
        self._run_ids = set(run_ids)

    @classmethod
    def of(cls, runs: Iterable[Run], *, ended: int) -> Shown:
        """Take the last `ended` of these runs that are over."""
        over = [run for run in runs if run.status.is_terminal]
        over.sort(key=lambda run: run.status.update_date, reverse=True)
        return cls(run.id for run in over[:ended])

    def __call__(self, run: Run) -> bool:
        if not run.status.is_terminal:
            self._run_ids.add(run.id)
        return run.id in self._run_ids
