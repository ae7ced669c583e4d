"""One run of a feed: what a poll asks, what it tells, and what is to come next.

It holds no task, no `Run` and no body between two polls. All that is told of a run is told within its polls, of
which there is one at a time, so that its events are in order and each one's cursor is true.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from nexus_async.events import LogReset, RunEnded, StatusChanged
from nexus_async.models.run import TERMINAL
from nexus_async.streaming.drain import over_for
from nexus_async.streaming.feed.unread import Unread
from nexus_async.streaming.run_reader import UNCONDITIONAL_EVERY, RunReader
from nexus_async.streaming.window import Window

if TYPE_CHECKING:
    from nexus_async.events import Checkpoint, LogEntry
    from nexus_async.http.throttle import Turn
    from nexus_async.logs import Cursor
    from nexus_async.models.run import Run
    from nexus_async.streaming.drain import Drain
    from nexus_async.streaming.feed.desk import Desk
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.room import Share
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source

LITTLE: Final = 4096
"""Bytes that are decoded at once, whoever else does."""


class Polled(NamedTuple):
    """What a poll came to: when it began, what it cost, and what is to come next."""

    poll: float
    times: list[float]
    size: int
    snapshot_due: float | None = None
    """When the next snapshot of an ended run is worth taking."""
    is_over: bool = False
    """Whether the run's end was told."""
    brought: bool = False
    """Whether there was anything new in its logs."""
    is_cut: bool = False
    """Whether some of what came was let go of before it was told: it is to be asked for again."""


class WatchedRun(msgspec.Struct, eq=False, gc=False):
    """Follow one run of a feed, poll by poll.

    A fleet holds thousands, so the garbage collector does not look at them. None may hold anything but data: what
    leads to users' objects, as a source does, may lead back, and would never be freed.
    """

    reader: RunReader
    window: Window | None
    """What is held back; None: nothing."""
    log_ids: tuple[str, ...] = ()
    news: Run | None = None
    """The run where its status is not told yet."""
    previous_poll: float = -inf
    """When the last poll began that was answered, in seconds on the client's clock."""
    lag: float | None = None
    """Seconds by which the newest entry was old when it was read."""
    failures: int = 0
    """Polls in a row that failed."""
    is_failing: bool = False
    """Whether that was told."""
    is_missing: bool = False
    """Whether a list lacked it, or a log was not found: it may be gone."""
    is_leaving: bool = False
    """Whether it is to be told as removed, and followed no more."""
    is_polled: bool = False
    """Whether a poll is under way."""
    is_asking: bool = False
    """Whether a poll waits for an answer, rather than for room for what it tells."""
    is_stopped: bool = False
    """Whether nothing more is to be asked; what was read is told all the same."""
    in_backlog: bool = False
    """Whether the feed is not caught up before this is read once."""
    _drain: Drain | None = None
    _has_held_back: bool = False
    _was_open: bool = False
    _polls: int = 0

    @classmethod
    def of(cls, project_id: str, start: Cursor, *, label: str | None = None) -> WatchedRun:
        """Return what follows a run from where a cursor says."""
        reader = RunReader.of(project_id, start, label=label)
        return cls(reader, None if start.beginning is None else Window.of(start.beginning))

    @property
    def run_id(self) -> str:
        """Return the run's ID."""
        return self.reader.run_id

    @property
    def status(self) -> str | None:
        """Return the status as last seen; None where none was."""
        return self.reader.status if self.news is None else self.news.status.overview

    @property
    def was_read(self) -> bool:
        """Tell whether it was read to the end of a snapshot once."""
        return self.previous_poll > -inf

    def stands_at(self, status: str, status_date: int, log_ids: list[str]) -> bool:
        """Tell whether this is how the run was last seen."""
        seen = (
            self.reader.told if self.news is None else (self.news.status.overview, self.news.status.update_date)
        )
        return seen == (status, status_date) and self.log_ids == tuple(log_ids)

    def note(self, run: Run) -> bool:
        """Take in how the run stands; tell whether that is news."""
        log_ids, is_new = tuple(run.log_ids), self.reader.told != (run.status.overview, run.status.update_date)
        self.news = run if is_new else None
        is_new = is_new or log_ids != self.log_ids
        self.log_ids, self.is_missing = log_ids, False
        return is_new

    async def poll(self, turn: Turn, desk: Desk, source: Source) -> Polled:
        """Ask `source` for what is to be known, and tell what is new; `turn` is for the first request.

        Raises `RequestError`.
        """
        begun, share, reader = desk.shared.clock(), desk.shared.room.share(), self.reader
        reader.received = size = 0
        brought = False
        first: Turn | None = turn
        try:
            if self.is_missing or not self.log_ids:
                size, first = await self._look(turn, source), None
            if self.news is not None:
                await self._tell_status(desk.outlet)
            # a validator that lies must not mean silence, least of all at the end
            conditional = reader.status not in TERMINAL and self._polls % UNCONDITIONAL_EVERY != 0
            for log_id in self.log_ids:
                self._begin_to_ask()
                slices = await reader.fetch(source, log_id, share, conditional=conditional, turn=first)
                self.is_asking, first = False, None
                unread = Unread(slices)
                while (
                    events := reader.take(log_id, unread)
                    if share.held <= LITTLE
                    else await self._take_in_turn(log_id, unread, desk)
                ) is not None:
                    brought = brought or bool(events)
                    await self._tell_all(desk.outlet, events, unread, share)
                share.leave()
                if unread.is_cut:
                    return Polled(begun, [], size + reader.received, brought=brought, is_cut=True)
        finally:
            self.is_asking = False
            share.leave()
        self._polls += 1
        if self.window is not None:
            await self._end_snapshot(self.window, desk.outlet)
        polled = Polled(begun, self._learned(begun, desk.shared), size + reader.received, brought=brought)
        if reader.status in TERMINAL:
            return await self._conclude(polled, desk, source)
        self._drain, self._was_open = None, True
        return polled

    async def _look(self, turn: Turn, source: Source) -> int:
        """Ask how the run stands; return the bytes that came."""
        self._begin_to_ask()
        run = await source.get_run(self.run_id, turn=turn)
        self.is_asking = False
        self.note(run)
        return turn.received

    async def _take_in_turn(
        self, log_id: str, unread: Unread, desk: Desk
    ) -> list[LogReset | Checkpoint | LogEntry] | None:
        """Take the next slice where there is much to decode: one poll at a time, a slice a turn of the loop."""
        async with desk.decoding:
            events = self.reader.take(log_id, unread)
            await asyncio.sleep(0)
            return events

    async def _conclude(self, polled: Polled, desk: Desk, source: Source) -> Polled:
        """Take a snapshot of an ended run into account: it is over where its logs have come to rest."""
        at = self._drain = self._drain or desk.new_drain()
        now = desk.shared.clock()
        since = 0.0 if self._was_open else over_for(self.reader.told[1], now, desk.shared.server_clock)
        at.note(self.reader.snapshot(), now=polled.poll, over_for=since)
        if at.drained is None:
            return polled._replace(snapshot_due=at.next_poll)
        self._begin_to_ask()
        run = await source.get_run(self.run_id)
        self.is_asking = False
        known = set(self.log_ids)
        self.note(run)
        if self.news is not None or not known.issuperset(run.log_ids):  # it went on, and may have ended anew
            await self._tell_status(desk.outlet)
            self._drain = None
            return polled._replace(snapshot_due=now)
        await desk.outlet.emit(
            RunEnded(
                project_id=self.reader.project_id,
                run_id=self.run_id,
                id=f"{self.run_id}:ended:{run.status.overview}:{run.status.update_date}",
                cursor=self.reader.end_token(),
                label=self.reader.label,
                run=run,
                outcome=run.status.overview,
                drained=at.drained,
            )
        )
        return polled._replace(is_over=True)

    def _begin_to_ask(self) -> None:
        if self.is_stopped:
            raise asyncio.CancelledError  # as where it is stopped while it asks
        self.is_asking = True

    async def _tell_status(self, outlet: Outlet) -> None:
        run, self.news = self.news, None
        if run is None:
            return
        self._drain = None
        previous = self.reader.status
        self.reader.tell(run.status)
        await outlet.emit(
            StatusChanged(
                project_id=self.reader.project_id,
                run_id=self.run_id,
                id=f"{self.run_id}:{run.status.overview}:{run.status.update_date}",
                cursor=self.reader.token(),
                label=self.reader.label,
                previous=previous,
                run=run,
            )
        )

    async def _tell_all(
        self, outlet: Outlet, events: list[LogReset | Checkpoint | LogEntry], unread: Unread, share: Share
    ) -> None:
        """Tell what is new. While the consumer has no room, `unread` may be let go of for others."""
        for event in events:
            if self.window is not None and not isinstance(event, LogReset) and not self.window.pass_on(event):
                self._has_held_back = True
            elif outlet.is_full:
                with share.resting(unread):
                    await outlet.emit(event)
            else:
                await outlet.emit(event)

    async def _end_snapshot(self, window: Window, outlet: Outlet) -> None:
        held, is_first = window.end_of_snapshot(), self.reader.beginning is not None
        if held:  # a restart must not count the last ones anew
            outlet.pass_over(self.run_id, window.before or self.reader.first_token())
        self.reader.beginning = None
        for event in held:
            await outlet.emit(event)
        if self._has_held_back or is_first:
            outlet.pass_over(self.run_id, self.reader.token())
            self._has_held_back = False
        self.window = window.later()

    def _learned(self, begun: float, shared: Shared) -> list[float]:
        times = self.reader.take_times()
        if times:
            self.lag = max(0.0, begun - max(times) - shared.server_clock.shift)
        return times
