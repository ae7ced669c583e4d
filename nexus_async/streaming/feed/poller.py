"""The runs that one client follows for a feed: whom to poll next, and what a failed poll means."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from nexus_async.errors import (
    AuthenticationError,
    ForbiddenError,
    NotFoundError,
    RateLimitedError,
    RequestError,
)
from nexus_async.events import Disconnected, Reconnected
from nexus_async.http.waiting import LOG
from nexus_async.loggers import kind_of
from nexus_async.models.run import TERMINAL
from nexus_async.pacing import Fleet
from nexus_async.streaming.feed.connection import Connection, concerns_all
from nexus_async.streaming.feed.crew import Crew
from nexus_async.streaming.feed.desk import Desk
from nexus_async.streaming.feed.rates import Rates
from nexus_async.streaming.feed.waiting import wait_for
from nexus_async.streaming.outage import pause_after, pause_for

if TYPE_CHECKING:
    from nexus_async.events import RunRemoved
    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.feed.owner import Owner
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.feed.watched import Polled, WatchedRun
    from nexus_async.streaming.shared import Shared

TELL_AFTER: Final = 3
"""Polls of a run in a row that failed before that is told: a single one is nothing to act on."""
logger = logging.getLogger("nexus_async.streaming")


class Poller:
    """Poll the runs of one client's projects, each when it is due and the throttle gives a turn.

    It begins no poll while the consumer has no room for what it would bring, nor while there is none for a body,
    and one at a time while the API does not answer.
    """

    def __init__(self, shared: Shared, throttle: Throttle, *, terms: Terms, outlet: Outlet) -> None:
        self._shared = shared
        self._throttle = throttle
        self._outlet = outlet
        self._desk = Desk(outlet, shared, terms)
        self._fleet = Fleet(
            terms.pacing,
            shared.server_clock,
            requests_per_second=throttle.requests_per_second,
            bytes_per_second=throttle.bytes_per_second,
            jitter=shared.jitter,
        )
        self._followed: dict[str, WatchedRun] = {}
        self._polls: dict[WatchedRun, asyncio.Task[None] | None] = {}
        self._probe: WatchedRun | None = None
        self._crew: Crew[tuple[WatchedRun, Turn]] = Crew(self._next_poll, self._poll)
        self._changed = asyncio.Event()
        self._left = asyncio.Event()
        self._connection = Connection(shared.jitter)
        self.projects: dict[str, Owner] = {}
        """Those whose runs it polls, by their IDs."""
        self.rates = Rates(shared.clock)
        """What its polls cost and brought."""

    @property
    def is_down(self) -> bool:
        """Tell whether the API does not answer at all."""
        return self._connection.is_down

    def follow(self, run: WatchedRun) -> None:
        """Poll one more run of the projects; one that is over goes first."""
        if run.run_id in self._followed:  # removed while it was polled, and added again
            self._drop(run.run_id)
        self._followed[run.run_id] = run
        self._fleet.add(run.run_id, self._shared.clock())
        if run.status in TERMINAL:
            self._fleet.drain(run.run_id, self._shared.clock())
        self._changed.set()

    def forget(self, run: WatchedRun) -> None:
        """Poll a run no more, and tell nothing of it."""
        if self._has(run):
            self._drop(run.run_id)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Poll, in tasks of the group, until stopped."""
        self._crew.start(group)

    def stop(self) -> None:
        """Give up what is being asked for; what is being told is told to its end."""
        self._crew.stop()
        for run, poll in self._polls.items():
            run.is_stopped = True
            if run.is_asking and poll is not None:
                poll.cancel()

    def _has(self, run: WatchedRun) -> bool:
        return self._followed.get(run.run_id) is run

    def _drop(self, run_id: str) -> None:
        del self._followed[run_id]
        self._fleet.remove(run_id)

    def poll_soon(self, run: WatchedRun) -> None:
        """Poll a run as soon as there is a turn: there is something to tell of it."""
        if not run.is_polled:
            self._put_back(run, self._shared.clock())
            self._changed.set()

    async def _next_poll(self) -> tuple[WatchedRun, Turn]:
        """Wait until a run may be polled; return it, and the turn to do so."""
        while True:
            if self._pause() != 0.0:
                await self._until_due()
            if self._outlet.is_full:
                await self._outlet.room()
            if not self._shared.room.is_open:
                await self._shared.room.opening()
            turn = self._throttle.turn_now(LOG) or await self._throttle.turn(LOG)
            taken = self._fleet.take(self._shared.clock())
            if taken is None:
                turn.give_back()
                continue
            run = self._followed[taken]
            run.is_polled, self._polls[run] = True, asyncio.current_task()
            if self._connection.is_down:
                self._probe = run
            return run, turn

    async def _until_due(self) -> None:
        """Sleep until a run is due, and the API is to be asked again where it did not answer."""
        while (pause := self._pause()) != 0.0:
            self._changed.clear()
            await wait_for(self._changed, pause)

    def _pause(self) -> float | None:
        """Return the seconds until a poll is due: 0 where one is; None where that takes more than time."""
        now = self._shared.clock()
        due = self._fleet.next_due(now)
        if due is None:
            return None
        if self._connection.is_down:
            if self._probe in self._polls:
                return None
            due = max(due, self._connection.next_probe)
        pause = due - now
        return 0.0 if pause <= 0.0 else round(pause + 5e-7, 6)

    async def _poll(self, job: tuple[WatchedRun, Turn]) -> None:
        run, turn = job
        project = self.projects[run.reader.project_id]
        try:
            polled = await run.poll(turn, self._desk, project.source)
        except RequestError as error:
            is_over = await self._note_failure(run, project, error)
        else:
            if self._connection.since is not None:
                await self.answered()
            is_over = polled.is_over
            self._note_success(run, polled)
        finally:
            turn.end()
            del self._polls[run]
            run.is_polled = False  # not before all is told: the next poll must not overtake it
        project.polled(run, is_over=is_over)
        if run.is_leaving:
            if not is_over:
                await self.tell_left(run)
            self._left.set()
        self._changed.set()

    def _note_success(self, run: WatchedRun, polled: Polled) -> None:
        self.rates.polled(polled.size, brought=polled.brought)
        run.failures, run.is_failing = 0, False
        if polled.is_cut:
            self._put_back(run, polled.poll)
            return
        previous, run.previous_poll = run.previous_poll, polled.poll
        if not self._has(run):
            return
        if polled.is_over:
            self.forget(run)
        elif run.news is not None:
            self._put_back(run, polled.poll)
        elif polled.snapshot_due is not None:
            self._fleet.drain(run.run_id, polled.snapshot_due)
        else:
            self._fleet.done(run.run_id, previous, polled.poll, polled.times, polled.size)

    def _put_back(self, run: WatchedRun, at: float) -> None:
        if not self._has(run):
            return
        if run.status in TERMINAL:
            self._fleet.drain(run.run_id, at)
        else:
            self._fleet.postpone(run.run_id, at)

    def leave(self, run: WatchedRun) -> RunRemoved | None:
        """Follow a run no more, and return what tells so; None where that is told after what is under way."""
        run.is_leaving = True
        if run.is_polled:
            return None
        self.forget(run)
        return run.reader.removed()

    async def tell_left(self, run: WatchedRun) -> None:
        """Follow a run no more, and tell so; where a poll of it is under way, that does."""
        if (removed := self.leave(run)) is not None:
            await self._outlet.emit(removed)

    async def until_left(self, run_id: str) -> None:
        """Wait until it is told that a run is followed no more, where a poll of it is under way."""
        run = self._followed.get(run_id)
        while run is not None and run.is_leaving and run in self._polls:
            self._left.clear()
            await self._left.wait()

    async def _note_failure(self, run: WatchedRun, project: Owner, error: RequestError) -> bool:
        """Tell whether the failure is the end of following the run."""
        now = self._shared.clock()
        self.rates.failed(limited=isinstance(error, RateLimitedError))
        if isinstance(error, AuthenticationError):
            await project.give_up(error)
            return True
        if isinstance(error, NotFoundError) and run.is_missing:
            self.forget(run)
            logger.warning("%s is gone: %s", run.run_id, kind_of(error))
            await self._outlet.emit(run.reader.failed(error, now, fatal=True))
            return True
        if isinstance(error, RateLimitedError):  # the throttle slows all down: the run itself is in order
            self._put_back(run, now + pause_for(error, 1, self._shared.jitter))
            return False
        run.failures += 1
        run.is_missing = run.is_missing or isinstance(error, NotFoundError)
        if isinstance(error, ForbiddenError):
            project.look_soon()
        if concerns_all(error):
            await self.failed(run.run_id, error)
            if self._connection.is_suspicious and not run.is_failing:
                for each in self.projects.values():
                    each.check_soon()
        else:
            await self.answered()
        is_api_in_doubt = self._connection.is_down or self._connection.is_suspicious
        if run.failures >= TELL_AFTER and not run.is_failing and not is_api_in_doubt:
            run.is_failing = True
            logger.warning("%s cannot be followed for now: %s", run.run_id, kind_of(error))
            await self._outlet.emit(run.reader.failed(error, now, fatal=False))
        self._put_back(run, now + pause_after(run.failures, self._shared.jitter))
        return False

    async def failed(self, asker: str, error: RequestError, *, is_look: bool = False) -> None:
        """Note a request that the API did not answer; tell of an outage where it makes one."""
        now = self._shared.clock()
        askers = len(self._followed) + len(self.projects)
        if self._connection.failed(asker, now, askers=askers, is_look=is_look):
            since = self._connection.since or now
            logger.warning("no answer for %s: %s", self._names(), kind_of(error))
            await self._outlet.emit(
                Disconnected(
                    id=f"{self._names()}:disconnected:{round(since * 1000)}",
                    project_ids=self._project_ids(),
                    since=since,
                    error=str(error),
                )
            )

    async def answered(self) -> None:
        """Note that the API answered; tell of the end of an outage where it ends one."""
        since = self._connection.answered()
        if since is not None:
            self._changed.set()  # whoever answered: no run has to wait for a probe any more
            logger.info("answers again for %s", self._names())
            await self._outlet.emit(
                Reconnected(
                    id=f"{self._names()}:reconnected:{round(since * 1000)}",
                    project_ids=self._project_ids(),
                    since=since,
                    seconds=self._shared.clock() - since,
                )
            )

    def _project_ids(self) -> tuple[str, ...]:
        return tuple(self.projects)

    def _names(self) -> str:
        return "+".join(self._project_ids())
