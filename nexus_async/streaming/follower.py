"""Following one run: what a poll asks, what it brings, and when the run is over.

State moves only between awaits, and each log's news is kept as soon as its body is here, so that a poll
cancelled anywhere loses nothing and doubles nothing.
"""

from __future__ import annotations

import warnings
from collections import deque
from typing import TYPE_CHECKING

import msgspec
import xxhash

from nexus_async.errors import InvalidAnswerError
from nexus_async.events import Checkpoint, LogReset, event_of
from nexus_async.logs import Cursor, Position, Reset, decode_entries, read_on
from nexus_async.streaming.drain import Drain

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.logs import Entry, Step
    from nexus_async.models.run import Run
    from nexus_async.streaming.source import Source


class LogResetWarning(UserWarning):
    """Warn that a log was cut or rewritten while it was followed."""


class Follower:
    """Follow one run, a poll at a time."""

    def __init__(
        self,
        source: Source,
        run_id: str,
        *,
        cursor: Cursor,
        settle: float,
        drain_timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self._source = source
        self._settle = settle
        self._drain_timeout = drain_timeout
        self._clock = clock
        self._positions = dict(cursor.logs)
        self._bodies: dict[str, bytes] = {}
        self._drain: Drain | None = None
        self.run_id = run_id
        self.run: Run | None = None
        self.resets: list[LogReset] = []
        self.pending: deque[Checkpoint] = deque()
        self.over = cursor.ended
        """Whether the run is over and its logs are read."""

    async def poll(self, now: float) -> float | None:
        """Ask for the status, then for every log; return when the next poll is due if the end says so.

        `now` is in seconds on the clock that polls are due by. Raises `RequestError`.
        """
        run = self.run = await self._source.get_run(self.run_id)
        for log_id in run.log_ids:
            self._read(log_id, await self._source.read_log(log_id))
        if not run.status.is_terminal:
            self._drain = None
            return None
        return await self._poll_of_ended(run, now)

    async def _poll_of_ended(self, run: Run, now: float) -> float | None:
        drain = self._drain = self._drain or Drain(settle=self._settle, drain_timeout=self._drain_timeout)
        snapshot = tuple(self._positions.values())
        drain.note(snapshot, now=now, over_for=self._clock() - run.status.update_date / 1000)
        if drain.drained is None:
            return drain.next_poll
        self.run = await self._source.get_run(self.run_id)
        self.over = self.run.status.is_terminal
        return now if not self.over else None

    def _read(self, log_id: str, body: bytes) -> None:
        digest = xxhash.xxh3_128_digest(body)
        if self._bodies.get(log_id) == digest:
            return
        position = self._positions.get(log_id, Position())
        reset, start, steps = read_on(position, self._entries(log_id, body))
        self._positions[log_id] = start
        if reset is not None:
            self._note_reset(log_id, reset, start)
        for step in steps:
            self._positions[log_id] = step.position
            self._note_step(log_id, step)
        self._bodies[log_id] = digest

    def _entries(self, log_id: str, body: bytes) -> list[Entry]:
        try:
            return decode_entries(body)
        except msgspec.DecodeError as refusal:
            raise InvalidAnswerError(
                f"the log {log_id} is not what the API promises: {refusal}",
                method="GET",
                path=f"/projects/{self._source.project_id}/runs/logs/{log_id}",
                body=body,
            ) from None

    def _note_step(self, log_id: str, step: Step) -> None:
        event = event_of(
            step.entry.value,
            project_id=self._source.project_id,
            run_id=self.run_id,
            log_id=log_id,
            index=step.index,
            fingerprint=step.entry.fingerprint.hex(),
            cursor=self.token(),
        )
        if isinstance(event, Checkpoint):
            self.pending.append(event)

    def _note_reset(self, log_id: str, reset: Reset, start: Position) -> None:
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

    def token(self) -> str:
        """Return the token that resumes after all that is pending."""
        return Cursor(self.run_id, self._positions, ended=self.over).token()
