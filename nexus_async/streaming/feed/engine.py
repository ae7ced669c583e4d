"""What a feed runs on: a watch for each project, and for each client a poller."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from nexus_async.errors import InvalidArgumentError
from nexus_async.streaming.feed.poller import Poller
from nexus_async.streaming.feed.project_watch import ProjectWatch
from nexus_async.streaming.feed.roster import Roster
from nexus_async.streaming.feed.stats import FeedStats, RunStats

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nexus_async.logs import Cursor
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.feed.watched import WatchedRun
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


class Watchable(NamedTuple):
    """A project that can be watched."""

    source: Source
    shared: Shared
    label: str | None = None
    """What goes on its events."""


class Engine:
    """Watch projects until cancelled or stopped. What it finds goes to `outlet`; `on_change` is called after."""

    def __init__(
        self,
        watchables: Iterable[Watchable],
        *,
        run_ids: Iterable[str] | None,
        terms: Terms,
        outlet: Outlet,
        on_change: Callable[[], None],
    ) -> None:
        self._watchables = list(watchables)
        self._run_ids = run_ids
        self._terms = terms
        self._outlet = outlet
        self._on_change = on_change
        self._projects: dict[str, ProjectWatch] = {}
        self._pollers: list[Poller] = []
        self._looks: list[asyncio.Task[None]] = []
        self.is_stopped = False
        """Whether nothing is asked for any more."""
        self.project_ids = [watchable.source.project_id for watchable in self._watchables]
        """The projects that are watched."""

    @property
    def count(self) -> int:
        """Return how many runs are followed."""
        return sum(len(project.runs) for project in self._projects.values())

    @property
    def is_caught_up(self) -> bool:
        """Tell whether all that was there at the beginning was read."""
        return all(project.is_caught_up for project in self._projects.values())

    @property
    def is_idle(self) -> bool:
        """Tell whether no run is left to follow."""
        return all(project.is_open and not project.has_work for project in self._projects.values())

    def prepare(self, cursors: Mapping[str, Cursor]) -> None:
        """Set up the watches; runs with a cursor are resumed."""
        by_client: dict[int, Poller] = {}
        is_only = len(self._watchables) == 1
        for source, shared, label in self._watchables:
            poller = by_client.get(id(shared))
            if poller is None:
                poller = Poller(shared, source.throttle, terms=self._terms, outlet=self._outlet)
                by_client[id(shared)] = poller
            own = {
                run_id: cursor
                for run_id, cursor in cursors.items()
                if cursor.project_id == source.project_id or (not cursor.project_id and is_only)
            }
            project = ProjectWatch(
                source,
                Roster(self._run_ids, own, self._terms),
                label=label,
                terms=self._terms,
                poller=poller,
                outlet=self._outlet,
                shared=shared,
                on_change=self._note_change,
            )
            self._projects[source.project_id] = project
            poller.projects[project.project_id] = project
        self._pollers = list(by_client.values())

    async def run(self) -> None:
        """Watch until stopped. Raises the last project's refusal where none is left."""
        async with asyncio.TaskGroup() as group:
            for poller in self._pollers:
                poller.start(group)
            self._looks = [group.create_task(project.run()) for project in self._projects.values()]
            if self.is_stopped:
                self.stop()
        refusals = [project.refusal for project in self._projects.values()]
        if all(refusals) and refusals[-1] is not None:
            raise refusals[-1]

    def stop(self) -> None:
        """Ask for nothing more. What is being read is read to its end."""
        self.is_stopped = True
        for look in self._looks:
            look.cancel()
        for poller in self._pollers:
            poller.stop()

    def project(self, project_id: str | None) -> ProjectWatch:
        """Return a project; where there is only one, it needs no ID. Raises `InvalidArgumentError`."""
        if project_id is None and len(self._projects) == 1:
            return next(iter(self._projects.values()))
        known = ", ".join(self.project_ids)
        if project_id is None:
            raise InvalidArgumentError(f"several projects are watched: pass project_id=, one of {known}")
        project = self._projects.get(project_id)
        if project is None:
            raise InvalidArgumentError(f"project_id={project_id!r} is none of the projects watched: {known}")
        return project

    def remove(self, run_id: str) -> bool:
        """Follow a run no more; tell whether it was followed or asked for."""
        return any(project.remove(run_id) for project in self._projects.values())

    def stats(self, cursors: Mapping[str, str], *, queued: int) -> FeedStats:
        """Return how it is doing, with these cursors of what was handled and so many events that wait."""
        rates = [poller.rates for poller in self._pollers]
        return FeedStats(
            runs={
                run_id: _stats_of(run, cursors.get(run_id))
                for project in self._projects.values()
                for run_id, run in project.runs.items()
            },
            requests_per_second=sum(rate.polls_per_second for rate in rates),
            bytes_per_second=sum(rate.bytes_per_second for rate in rates),
            polls=sum(rate.polls for rate in rates),
            wasted_polls=sum(rate.wasted for rate in rates),
            failed_polls=sum(rate.failures for rate in rates),
            failed_looks=sum(project.failed_looks for project in self._projects.values()),
            rate_limited=sum(rate.limited for rate in rates),
            queued=queued,
        )

    def _note_change(self) -> None:
        if all(project.refusal for project in self._projects.values()):
            self.stop()
        self._on_change()


def _stats_of(run: WatchedRun, cursor: str | None) -> RunStats:
    return RunStats(
        project_id=run.reader.project_id,
        status=run.status,
        cursor=cursor,
        lag=run.lag,
        last_poll=None if run.previous_poll < 0 else run.previous_poll,
        errors=run.failures,
        log_bytes=run.reader.log_bytes,
    )
