"""Following one run: what a poll asks, what it brings, and when the run is over.

State moves only between awaits, so that a poll cancelled anywhere loses nothing and doubles nothing.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import TYPE_CHECKING

from nexus_async.errors import InvalidArgumentError
from nexus_async.events import LogReset
from nexus_async.logs import Cursor
from nexus_async.models.run import check_run_id
from nexus_async.streaming.drain import Drain, over_for
from nexus_async.streaming.run_reader import UNCONDITIONAL_EVERY, RunReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.events import Checkpoint, LogEntry
    from nexus_async.logs import Beginning, News
    from nexus_async.models.run import Run
    from nexus_async.pacing import RunPacing
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


class LogResetWarning(UserWarning):
    """Warn that a log was cut or rewritten while it was followed."""


class Follower:
    """Follow one run: `poll`, then `read` to the end of what it brought, then `conclude`."""

    def __init__(
        self,
        source: Source,
        run_or_log_id: str,
        *,
        cursor: str | None,
        beginning: Beginning | None,
        pacing: RunPacing,
        settle: float,
        drain_timeout: float,
        shared: Shared,
    ) -> None:
        self._source = source
        self._pacing = pacing
        self._settle = settle
        self._drain_timeout = drain_timeout
        self._shared = shared
        self._only_log, run_id = _log_and_run(run_or_log_id, cursor)
        start = Cursor(run_id, beginning=beginning) if cursor is None else Cursor.parse(cursor, run_id=run_id)
        self._reader = RunReader.of(source.project_id, start)
        self.share = shared.room.share(self)
        """The room that unread bodies take."""
        self._unread: deque[tuple[str, Iterator[News]]] = deque()
        self._previous_poll, self._poll = float("-inf"), float("-inf")
        self._drain: Drain | None = None
        self._is_concluded = True
        self._polls = 0
        self._was_open = False
        self.run: Run | None = None
        self.resets: list[LogReset] = []
        self.pending: deque[Checkpoint | LogEntry] = deque()
        self.has_let_go = False
        """Whether bodies were dropped: the next poll is due at once."""
        self.over = start.ended
        """Whether the run is over and its logs are read."""

    @property
    def run_id(self) -> str:
        """Return the run's ID; empty until the run of a log is found."""
        return self._reader.run_id

    async def poll(self) -> None:
        """Ask for the status, then for every log. Raises `RequestError`."""
        started = self._shared.clock()
        run = await self._get_run()
        log_ids = [self._only_log] if self._only_log else run.log_ids
        # a validator that lies must not mean silence, least of all at the end
        conditional = not run.status.is_terminal and self._polls % UNCONDITIONAL_EVERY != 0
        try:
            bodies = [
                (log_id, await self._reader.fetch(self._source, log_id, self.share, conditional=conditional))
                for log_id in log_ids
            ]
        except BaseException:
            self.share.leave()
            raise
        self.run, self.has_let_go = run, False
        self._polls += 1
        self._unread.extend(bodies)
        self._previous_poll, self._poll = self._poll, started
        self._is_concluded = False

    async def _get_run(self) -> Run:
        if self.run_id:
            return await self._source.get_run(self.run_id)
        for run in await self._source.list_runs():
            if self._only_log in run.log_ids:
                self._reader.run_id = run.id
                return run
        raise InvalidArgumentError(
            f"no run of {self._source.project_id} has the log {self._only_log}: run.log_ids has those of a run"
        )

    def read(self) -> bool:
        """Read one slice of what the last poll brought; tell whether there was one."""
        if not self._unread:
            return False
        log_id, slices = self._unread[0]
        try:
            events = self._reader.take(log_id, slices)
        except BaseException:
            self._unread.clear()
            self.share.leave()
            raise
        if events is None:
            self._unread.popleft()
            if not self._unread:
                self.share.leave()
        for event in events or ():
            if isinstance(event, LogReset):
                self._warn_of(event)
            else:
                self.pending.append(event)
        return True

    def let_go(self) -> None:
        """Drop the bodies that are not read yet, for others: they have to be asked for again."""
        self._unread.clear()
        self.has_let_go = True

    async def conclude(self) -> float | None:
        """Return in how many seconds the next poll is due, once all is read; None where the run is over.

        Nothing is asked but the status of an ended run whose logs are whole.
        """
        if not self._is_concluded:
            self._pacing.seen(self._previous_poll, self._poll, self._reader.take_times())
            self._is_concluded = True
        if self.run is None or not self.run.status.is_terminal:
            self._drain, self._was_open = None, self.run is not None
            return self._pacing.next_poll(self._poll) - self._shared.clock()
        return await self._conclude_ended(self.run)

    async def _conclude_ended(self, run: Run) -> float | None:
        now = self._shared.clock()
        drain = self._drain = self._drain or Drain(settle=self._settle, drain_timeout=self._drain_timeout)
        since = 0.0 if self._was_open else over_for(run.status.update_date, now, self._shared.server_clock)
        drain.note(self._reader.snapshot(), now=self._poll, over_for=since)
        if drain.drained is None:
            return drain.next_poll - now
        self.run = await self._source.get_run(self.run_id)
        is_same = (self.run.status, self.run.log_ids) == (run.status, run.log_ids)
        if not is_same:  # it went on, and may have ended anew, or got another log
            self._drain = None
        self.over = is_same
        return None if self.over else 0.0

    @property
    def beginning(self) -> Beginning | None:
        """Return what is held back until the first snapshot is read; None: nothing."""
        return self._reader.beginning

    def first_token(self) -> str:
        """Return the token from which on nothing is left out but what is too old."""
        return self._reader.first_token()

    def begun(self) -> None:
        """Note that the first snapshot was told."""
        self._reader.beginning = None

    def token(self) -> str:
        """Return the token that resumes after all that was read."""
        return self._reader.token(ended=self.over)

    def _warn_of(self, reset: LogReset) -> None:
        self.resets.append(reset)
        warnings.warn(
            f"{reset.log_id} was cut or rewritten after {reset.read} entries were read of it: "
            f"reading goes on at entry {reset.resumes_at} of what is there now",
            LogResetWarning,
            stacklevel=2,
        )


def _log_and_run(run_or_log_id: str, cursor: str | None) -> tuple[str | None, str]:
    """Return the one log to follow, if it is one, and the run as far as it is known."""
    if not isinstance(run_or_log_id, str) or not run_or_log_id.startswith("runlog_"):
        check_run_id(run_or_log_id)
        return None, run_or_log_id
    return run_or_log_id, "" if cursor is None else Cursor.read(cursor).run_id
