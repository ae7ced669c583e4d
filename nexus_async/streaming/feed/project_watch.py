"""How the runs of a project in a feed stand, as far as lists and single answers tell."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from nexus_async.errors import (
    AuthenticationError,
    ForbiddenError,
    InvalidAnswerError,
    RateLimitedError,
    RequestError,
)
from nexus_async.events import ProjectUnavailable
from nexus_async.loggers import kind_of
from nexus_async.streaming.feed.connection import is_refusal
from nexus_async.streaming.feed.enrolment import Enrolment
from nexus_async.streaming.feed.listing import Listing
from nexus_async.streaming.feed.lost_list import LostList
from nexus_async.streaming.feed.waiting import wait_for
from nexus_async.streaming.outage import pause_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.models.run import Run
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.feed.poller import Poller
    from nexus_async.streaming.feed.roster import Roster
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.feed.watched import WatchedRun
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source

SLICE: Final = 64
"""Runs of a list that are looked at without letting the loop go on."""
logger = logging.getLogger("nexus_async.streaming")


class ProjectWatch:
    """Look at one project again and again: find its runs, note how they stand, and give them to the poller."""

    def __init__(
        self,
        source: Source,
        roster: Roster,
        *,
        label: str | None,
        terms: Terms,
        poller: Poller,
        outlet: Outlet,
        shared: Shared,
        on_change: Callable[[], None],
    ) -> None:
        self.source = source
        """What answers for its runs."""
        self._roster = roster
        self._label = label
        self._terms = terms
        self._poller = poller
        self._outlet = outlet
        self._shared = shared
        self._on_change = on_change
        self._listing = Listing(source.throttle, interval=terms.discovery_interval)
        self._lost = LostList(source.project_id)
        self._must_list = False
        self._is_asked = asyncio.Event()
        self._failures = 0
        self._enrolment = Enrolment(
            source,
            roster,
            label=label,
            poller=poller,
            outlet=outlet,
            shared=shared,
            on_change=on_change,
        )
        self.failed_looks = 0
        """Looks at the list or at single runs that were not answered, or not as the API promises."""
        self.refusal: RequestError | None = None
        """Why the project is followed no more; None while it is."""

    @property
    def project_id(self) -> str:
        """Return the project's ID."""
        return self.source.project_id

    @property
    def runs(self) -> dict[str, WatchedRun]:
        """Return the runs that are followed, by their IDs."""
        return self._roster.runs

    @property
    def is_open(self) -> bool:
        """Tell whether the runs that were there at the beginning are found, or will never be."""
        return self.refusal is not None or self._roster.is_open

    @property
    def is_caught_up(self) -> bool:
        """Tell whether every run that was there at the beginning was read once."""
        return self.refusal is not None or (self._roster.is_open and self._roster.backlog == 0)

    @property
    def has_work(self) -> bool:
        """Tell whether a run is followed or asked for."""
        return self.refusal is None and bool(self._roster.runs or self._roster.wanted)

    async def run(self) -> None:
        """Look until cancelled, or until the project cannot be reached any more."""
        while self.refusal is None:
            self._is_asked.clear()
            try:
                await self._look()
                self._failures, pause = 0, self._terms.discovery_interval
            except RequestError as error:
                pause = await self._note_failure(error)
                if self._lost.is_lost:
                    await self._look_without_list()
            if self.refusal is None:
                await wait_for(self._is_asked, pause)

    def look_soon(self) -> None:
        """Ask for the list as soon as there is a turn."""
        self._must_list = True
        self._is_asked.set()

    def check_soon(self) -> None:
        """Ask for the list soon, unless it was there just now: whether the API answers at all is in doubt."""
        if self._listing.may_be_asked(self._shared.clock()):
            self.look_soon()

    def add(self, run_id: str) -> None:
        """Follow one more run."""
        self._roster.want(run_id)
        self._is_asked.set()

    def remove(self, run_id: str) -> bool:
        """Follow a run no more; tell whether it was followed or asked for."""
        if (run := self.runs.get(run_id)) is None:
            return self._roster.unwant(run_id)
        self._roster.remove(run)
        if (removed := self._poller.leave(run)) is not None:
            self._outlet.push(removed)  # who removes a run may be the one who makes room
        self._on_change()
        return True

    def polled(self, run: WatchedRun, *, is_over: bool) -> None:
        """Note that a run was polled, and whether it is followed no more."""
        if run.is_leaving:
            self._roster.moved(run)
        if is_over:
            self._roster.end(run)
        elif run.in_backlog and (run.was_read or run.is_failing):
            self._roster.was_read(run)
        else:
            return
        self._on_change()

    async def give_up(self, error: RequestError) -> None:
        """Follow nothing of the project any more: the secret key does not reach it."""
        if self.refusal is not None:
            return
        self.refusal = error
        logger.warning("%s is followed no more: %s", self.project_id, kind_of(error))
        for run in list(self.runs.values()):
            self._poller.forget(run)
            self._roster.end(run)
        await self._outlet.emit(
            ProjectUnavailable(
                id=f"{self.project_id}:unavailable:{round(self._shared.clock() * 1000)}",
                project_id=self.project_id,
                error=str(error),
                label=self._label,
            )
        )
        self._is_asked.set()
        self._on_change()

    async def _look(self) -> None:
        is_first = not self._roster.is_open
        if self._must_list or self._is_list_due(is_first=is_first):
            await self._look_at_list()
        elif not is_first and self._listing.is_dearer(len(self.runs)):
            await self._look_at_each()
        for run_id in list(self._roster.wanted):
            await self._look_for(run_id)
        if is_first:
            self._open()

    def _open(self) -> None:
        self._roster.is_open = True
        self._on_change()

    def _is_list_due(self, *, is_first: bool) -> bool:
        if is_first:
            return self._roster.finds or len(self._roster.wanted) > 1
        if not self._listing.is_due(self._shared.clock()):
            return False
        return self._roster.may_find or (bool(self.runs) and not self._listing.is_dearer(len(self.runs)))

    async def _look_at_list(self) -> None:
        try:
            listed = await self.source.read_list(self._listing.read)
        except RequestError as error:
            if not self._poller.is_down:  # or it is not the list alone that fails
                self._lost.failed(error)
            raise
        self._lost.answered()
        self._must_list = False
        self._listing.came(self._shared.clock())
        await self._poller.answered()
        if listed is None:
            return
        seen: set[str] = set()
        for run_id, run in listed:
            await self._enrolment.note_listed(run_id, run)
            seen.add(run_id)
            if len(seen) % SLICE == 0:
                await asyncio.sleep(0)  # a list may be long, and others want their turn
        self._roster.want_resumed(seen)
        for run_id in [run_id for run_id in self.runs if run_id not in seen]:
            self._enrolment.may_be_gone(run_id)

    async def _look_at_each(self) -> None:
        for run_id in list(self.runs):
            await self._look_at(run_id)

    async def _look_at(self, run_id: str) -> None:
        try:
            await self._enrolment.note(await self._get(run_id))
        except RequestError as error:
            if not is_refusal(error) and not isinstance(error, InvalidAnswerError):
                raise
            self._enrolment.may_be_gone(run_id)

    async def _look_without_list(self) -> None:
        """Ask for some runs by themselves, in turn: those that are wanted, and how the others stand."""
        if self._poller.is_down and self.runs:
            return  # their polls tell when it is up
        count = self._listing.singles(self._shared.clock())
        self._roster.want_resumed(())
        wanted = list(self._roster.wanted)[: count // 2]
        failures, are_all = self.failed_looks, len(wanted) == len(self._roster.wanted)
        for run_id in [*wanted, *list(self.runs)[: count - len(wanted)]]:
            if self.refusal is not None or (self._poller.is_down and self.failed_looks > failures):
                return
            try:
                await (self._look_at(run_id) if run_id in self.runs else self._look_for(run_id))
                self._roster.put_last(run_id)
            except RequestError as error:
                await self._note_failure(error)
        if not self._roster.finds and are_all and self.failed_looks == failures:
            self._open()

    async def _look_for(self, run_id: str) -> None:
        """Ask for a run that is wanted: it is added, or told as gone."""
        try:
            await self._enrolment.take(await self._get(run_id))
        except RequestError as error:
            if isinstance(error, ForbiddenError):
                await self._look_at_list()  # which raises where it is all of the project that is out of reach
            if isinstance(error, InvalidAnswerError):
                await self._enrolment.tell_failure(run_id, error, fatal=False)
            elif not is_refusal(error) or isinstance(error, AuthenticationError):
                raise
            elif self._roster.give_up(run_id):
                await self._enrolment.tell_failure(run_id, error, fatal=True)
                self._on_change()

    async def _get(self, run_id: str) -> Run:
        try:
            run = await self.source.get_run(run_id)
        except RequestError:
            self._roster.put_last(run_id)  # one that fails for long holds up no other
            raise
        await self._poller.answered()
        return run

    async def _note_failure(self, error: RequestError) -> float:
        """Return the seconds until the next look, or give the project up."""
        if is_refusal(error):
            await self.give_up(error)
            return 0.0
        self._failures += 1
        self.failed_looks += 1
        pause = pause_for(error, self._failures, self._shared.jitter)
        if not isinstance(error, RateLimitedError):
            await self._poller.failed(f"list of {self.project_id}", error, is_look=True)
        return pause
