"""All runs of a server, within its bound."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from nexus_async.local.errors import InvalidArgumentError, TooManyRunsError, UnknownIdError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nexus_async.local.run import LocalRun


class RunRegistry:
    """Keep at most `limit` runs; the one that ended first is forgotten for a new one.

    Raises `InvalidArgumentError` for a limit below 1.
    """

    def __init__(self, limit: int) -> None:
        if limit < 1:
            raise InvalidArgumentError(f"max_runs={limit} must be at least 1")
        self._limit = limit
        self._runs: dict[str, LocalRun] = {}
        self._by_project: dict[str, dict[str, LocalRun]] = {}
        # a dict for its order: the runs that ended, the earliest first
        self._ended: dict[str, None] = {}
        self.all: Mapping[str, LocalRun] = MappingProxyType(self._runs)

    def make_room(self) -> None:
        """Forget a run that ended, where the bound is reached.

        Raises `TooManyRunsError` where none has ended.
        """
        if len(self._runs) < self._limit:
            return
        oldest = next(iter(self._ended), None)
        if oldest is None:
            raise TooManyRunsError(f"all {self._limit} runs of this server (max_runs) are active")
        self._forget(oldest)

    def add(self, run: LocalRun) -> None:
        """Take in a run that there is room for."""
        self._runs[run.id] = run
        self._by_project.setdefault(run.project_id, {})[run.id] = run

    def changed(self, run: LocalRun) -> None:
        """Note a run that ended as one that may be forgotten."""
        if run.is_over:
            self._ended[run.id] = None

    def of(self, project_id: str) -> Iterable[LocalRun]:
        """Give the runs of a project, in the order of their start."""
        return self._by_project.get(project_id, {}).values()

    def find(self, run_id: str) -> LocalRun:
        """Give the run of this ID; raises `UnknownIdError`."""
        try:
            return self._runs[run_id]
        except KeyError:
            raise UnknownIdError(f"no run {run_id} on this server; it has {len(self._runs)}") from None

    def find_in(self, project_id: str, run_id: str) -> LocalRun | None:
        """Give a project's run of this ID, or None."""
        return self._by_project.get(project_id, {}).get(run_id)

    def _forget(self, run_id: str) -> None:
        del self._ended[run_id]
        run = self._runs.pop(run_id)
        del self._by_project[run.project_id][run_id]
