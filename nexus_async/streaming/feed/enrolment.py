"""Runs of one project as they are found: taken in, noted, set aside or told as gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.streaming.feed.watched import WatchedRun
from nexus_async.streaming.run_reader import RunReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.errors import RequestError
    from nexus_async.models.run import Run
    from nexus_async.streaming.feed.listing import ListedRun
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.feed.poller import Poller
    from nexus_async.streaming.feed.roster import Roster
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


class Enrolment:
    """Take runs in, give them to the poller, and note how they stand from then on."""

    def __init__(
        self,
        source: Source,
        roster: Roster,
        *,
        label: str | None,
        poller: Poller,
        outlet: Outlet,
        shared: Shared,
        on_change: Callable[[], None],
    ) -> None:
        self._source = source
        self._roster = roster
        self._label = label
        self._poller = poller
        self._outlet = outlet
        self._shared = shared
        self._on_change = on_change
        self._told: set[str] = set()

    async def note_listed(self, run_id: str, listed: ListedRun) -> None:
        """Take in how a list has a run: one that is followed, or that may be."""
        followed = self._roster.runs.get(run_id)
        if followed is not None:
            followed.is_missing = False
            if followed.stands_at(listed.status, listed.status_date, listed.log_ids):
                return
        elif not self._roster.is_candidate(run_id, listed):
            return
        if (run := listed.run()) is not None:
            await (self.take(run) if followed is None else self.note(run))

    async def note(self, run: Run) -> None:
        """Take in how a run that is followed stands."""
        if (followed := self._roster.runs.get(run.id)) is None:
            return
        if not self._roster.fits(run):
            self._roster.set_aside(followed, run)
            await self._poller.tell_left(followed)
            self._on_change()
        elif followed.note(run):
            self._poller.poll_soon(followed)

    async def take(self, run: Run) -> None:
        """Follow a run, if it is to be followed."""
        await self._poller.until_left(run.id)
        if not self._roster.takes(run):
            self._on_change()
            return
        start = self._roster.start_of(run.id)
        followed = WatchedRun.of(self._source.project_id, start, label=self._label)
        self._roster.enter(followed)
        if start.is_untold:
            followed.is_polled = True  # one that is removed while there is no room is told so after this
            await self._outlet.emit(followed.reader.added(run))
            followed.is_polled = False
        if followed.is_leaving:
            await self._poller.tell_left(followed)
        elif self._roster.runs.get(run.id) is followed:
            followed.note(run)
            self._poller.follow(followed)

    def may_be_gone(self, run_id: str) -> None:
        """Let a run be polled that a list lacked, or that was not found: that tells whether it is gone."""
        if (run := self._roster.runs.get(run_id)) is not None:
            run.is_missing = True
            self._poller.poll_soon(run)

    async def tell_failure(self, run_id: str, refusal: RequestError, *, fatal: bool) -> None:
        """Tell that a run that is wanted cannot be followed: for good, or once until it can."""
        if run_id in self._told and not fatal:
            return
        self._told.add(run_id)
        reader = RunReader.of(self._source.project_id, self._roster.start_of(run_id), label=self._label)
        await self._outlet.emit(reader.failed(refusal, self._shared.clock(), fatal=fatal))
