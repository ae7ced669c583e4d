"""Following one run: what a poll asks, what it brings, and when the run is over.

State moves only between awaits, and a body is read into a log's position only when it is whole, so that a poll
cancelled anywhere loses nothing and doubles nothing.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.errors import InvalidAnswerError, InvalidArgumentError
from nexus_async.events import Checkpoint, LogEntry, LogReset, event_of
from nexus_async.logs import Cursor, LogReader, Position
from nexus_async.models.run import check_run_id
from nexus_async.streaming.drain import Drain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.logs import News, Reset, Step
    from nexus_async.models.run import Run
    from nexus_async.pacing import RunPacing
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


FARTHEST: Final = 1e11
"""Seconds since the Unix epoch: a time beyond it is none, and says nothing of a run's rhythm."""
UNCONDITIONAL_EVERY: Final = 20
"""Polls of which one asks for the whole body, whatever its validator says."""


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
        self._only_log, self.run_id = _log_and_run(run_or_log_id, cursor)
        start = Cursor(self.run_id) if cursor is None else Cursor.parse(cursor, run_id=self.run_id)
        self._readers = {log_id: LogReader(position) for log_id, position in start.logs.items()}
        self._unread: deque[tuple[str, Iterator[News]]] = deque()
        self._times: list[float] = []
        self._previous_poll, self._poll = float("-inf"), float("-inf")
        self._drain: Drain | None = None
        self._is_concluded = True
        self._polls = 0
        self._was_open = False
        self.run: Run | None = None
        self.resets: list[LogReset] = []
        self.pending: deque[Checkpoint | LogEntry] = deque()
        self.over = start.ended
        """Whether the run is over and its logs are read."""

    async def poll(self) -> None:
        """Ask for the status, then for every log. Raises `RequestError`."""
        started = self._shared.clock()
        run = await self._get_run()
        log_ids = [self._only_log] if self._only_log else run.log_ids
        # a validator that lies must not mean silence, least of all at the end
        conditional = not run.status.is_terminal and self._polls % UNCONDITIONAL_EVERY != 0
        bodies = [(log_id, await self._read_log(log_id, conditional=conditional)) for log_id in log_ids]
        self.run = run
        self._polls += 1
        self._unread.extend(bodies)
        self._previous_poll, self._poll = self._poll, started
        self._is_concluded = False

    async def _read_log(self, log_id: str, *, conditional: bool) -> Iterator[News]:
        reader = self._readers.setdefault(log_id, LogReader())
        reading = reader.open(conditional=conditional)
        await self._source.read_log(log_id, reading)
        if reading.is_lost:
            reader.forget_bytes()
            reading = reader.open()
            await self._source.read_log(log_id, reading)
        return reading.news()

    async def _get_run(self) -> Run:
        if self.run_id:
            return await self._source.get_run(self.run_id)
        for run in await self._source.list_runs():
            if self._only_log in run.log_ids:
                self.run_id = run.id
                return run
        raise InvalidArgumentError(f"no run of {self._source.project_id} has the log {self._only_log}")

    def read(self) -> bool:
        """Read one slice of what the last poll brought; tell whether there was one."""
        if not self._unread:
            return False
        log_id, slices = self._unread[0]
        try:
            news = next(slices, None)
        except msgspec.DecodeError as refusal:
            self._unread.popleft()
            raise self._unreadable(log_id, refusal) from None
        if news is None:
            self._unread.popleft()
        else:
            self._take(log_id, news)
        return True

    async def conclude(self) -> float | None:
        """Return in how many seconds the next poll is due, once all is read; None where the run is over.

        Nothing is asked but the status of an ended run whose logs are whole.
        """
        if not self._is_concluded:
            self._pacing.seen(self._previous_poll, self._poll, self._times)
            self._times = []
            self._is_concluded = True
        if self.run is None or not self.run.status.is_terminal:
            self._drain, self._was_open = None, self.run is not None
            return self._pacing.next_poll(self._poll) - self._shared.clock()
        return await self._conclude_ended(self.run)

    async def _conclude_ended(self, run: Run) -> float | None:
        now = self._shared.clock()
        over_for = (
            0.0 if self._was_open else now - self._shared.server_clock.shift - run.status.update_date / 1000
        )
        drain = self._drain = self._drain or Drain(settle=self._settle, drain_timeout=self._drain_timeout)
        snapshot = {log_id: (at.read, at.digest) for log_id, at in self._positions().items()}
        drain.note(snapshot, now=self._poll, over_for=over_for)
        if drain.drained is None:
            return drain.next_poll - now
        self.run = await self._source.get_run(self.run_id)
        self.over = self.run.status.is_terminal
        return None if self.over else 0.0

    def token(self) -> str:
        """Return the token that resumes after all that was read."""
        return Cursor(self.run_id, self._positions(), ended=self.over).token()

    def _positions(self) -> dict[str, Position]:
        return {log_id: reader.position for log_id, reader in self._readers.items()}

    def _unreadable(self, log_id: str, refusal: msgspec.DecodeError) -> InvalidAnswerError:
        return InvalidAnswerError(
            f"the log is not what the API promises: {refusal}",
            method="GET",
            path=f"/projects/{self._source.project_id}/runs/logs/{log_id}",
        )

    def _take(self, log_id: str, news: News) -> None:
        if news.reset is not None:
            self._note_reset(log_id, news.reset)
        positions = self._positions()
        for step in news.steps:
            positions[log_id] = step.position
            self._note_step(log_id, step, Cursor(self.run_id, positions).token())

    def _note_step(self, log_id: str, step: Step, cursor: str) -> None:
        event = event_of(
            step.entry.value,
            project_id=self._source.project_id,
            run_id=self.run_id,
            log_id=log_id,
            index=step.index,
            fingerprint=step.entry.fingerprint.hex(),
            cursor=cursor,
        )
        self.pending.append(event)
        if event.time is not None and 0 < event.time < FARTHEST:
            self._times.append(event.time)

    def _note_reset(self, log_id: str, reset: Reset) -> None:
        start = self._readers[log_id].position
        told = LogReset(
            project_id=self._source.project_id,
            run_id=self.run_id,
            log_id=log_id,
            id=f"{log_id}:{start.index}:reset:{start.digest.hex()[:16]}",
            cursor=self.token(),
            read=reset.read,
            recognized=reset.recognized,
            resumes_at=reset.resumes_at,
        )
        self.resets.append(told)
        warnings.warn(
            f"{log_id} was cut or rewritten after {reset.read} entries were read of it: "
            f"reading goes on at entry {reset.resumes_at} of what is there now",
            LogResetWarning,
            stacklevel=2,
        )


def _log_and_run(run_or_log_id: str, cursor: str | None) -> tuple[str | None, str]:
    """Return the one log to follow, if it is one, and the run as far as it is known."""
    if not isinstance(run_or_log_id, str) or not run_or_log_id.startswith("runlog_"):
        check_run_id(run_or_log_id)
        return None, run_or_log_id
    return run_or_log_id, "" if cursor is None else Cursor.run_of(cursor)
