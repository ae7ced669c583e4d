"""How far the logs of one run were read, and what is new in them as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.errors import InvalidAnswerError, ResponseTooLargeError
from nexus_async.events import FollowFailed, LogReset, RunAdded, RunRemoved, event_of
from nexus_async.http.inflation import BodyTooLargeError
from nexus_async.http.waiting import Kind
from nexus_async.logs import Beginning, Cursor, LogReader
from nexus_async.streaming.intake import Intake, NoRoomError
from nexus_async.streaming.room import UNKNOWN_BODY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.errors import RequestError
    from nexus_async.events import Checkpoint, LogEntry
    from nexus_async.http.throttle import Turn
    from nexus_async.logs import News, Position, Reset, Step
    from nexus_async.models.run import Run, RunStatus
    from nexus_async.streaming.room import Share
    from nexus_async.streaming.source import Source

UNCONDITIONAL_EVERY: Final = 20
"""Polls of which one asks for the whole body, whatever its validator says."""
FARTHEST: Final = 1e11
"""Seconds since the Unix epoch: a time beyond it is none, and says nothing of a run's rhythm."""


class RunReader(msgspec.Struct, eq=False, gc=False):
    """Read the logs of one run: `fetch` a body, then take its slices as events.

    A body moves a log's position only when it is whole, so that a fetch cancelled anywhere loses nothing and
    doubles nothing. A fleet holds thousands, so the garbage collector does not look at them: none may hold
    anything but data.
    """

    project_id: str
    run_id: str
    label: str | None
    """What goes on the events."""
    beginning: Beginning | None
    """What is held back until the first whole snapshot is told; whoever has told it sets it to None."""
    removals: int
    """How often it was told that the run is followed no more."""
    _readers: dict[str, LogReader]
    _status: str
    _status_date: int
    _times: list[float] | None = None
    received: int = 0
    """Bytes of logs that came, over the wire; whoever wants to know sets it to 0 before."""

    @classmethod
    def of(cls, project_id: str, start: Cursor, *, label: str | None = None) -> RunReader:
        """Return what reads a run from where a cursor says."""
        readers = {log_id: LogReader(position) for log_id, position in start.logs.items()}
        return cls(
            project_id,
            start.run_id,
            label,
            start.beginning,
            start.removals,
            readers,
            start.status,
            start.status_date,
        )

    @property
    def status(self) -> str | None:
        """Return the status last told; None where none was."""
        return self._status or None

    @property
    def told(self) -> tuple[str, int]:
        """Return the status last told and when it began, in milliseconds since the Unix epoch."""
        return self._status, self._status_date

    @property
    def log_bytes(self) -> int:
        """Return how many bytes of its logs were read, as they are uncompressed."""
        return sum(reader.position.length for reader in self._readers.values())

    def tell(self, status: RunStatus) -> None:
        """Take a status as told: cursors have it from now on."""
        self._status, self._status_date = status.overview, status.update_date

    async def fetch(
        self, source: Source, log_id: str, share: Share, *, conditional: bool, turn: Turn | None = None
    ) -> Iterator[News]:
        """Read a log's body to its end, and return what is new in it, to be passed to `take` slice by slice.

        `share` grows by what is kept of the body: nothing is set aside for one that was read before, as most of
        those bring nothing. A `turn` is given back where there is no room to begin at once, else ended.
        """
        reader = self._readers.get(log_id) or self._readers.setdefault(log_id, LogReader())
        base, reading, least = share.held, None, 0 if reader.position.length else UNKNOWN_BODY
        if least:  # room that is set aside while its turn is to come would be lost to others
            turn = turn or await source.throttle.turn(Kind.LOG)
            if not share.has_room(base + least):
                turn.give_back()
                turn = None
        while reading is None:
            if least:
                await share.hold(base + least)
            reading = reader.open(conditional=conditional)
            intake = Intake(reading, share, base=base, known=reader.position.length)
            try:
                await source.read_log(log_id, intake, turn=turn)
            except NoRoomError as full:
                self.received += intake.fed
                share.resize(base)
                reading, least, turn = None, max(2 * least, full.size - base), None
                continue
            finally:
                if turn is not None:
                    turn.end()
            self.received += intake.fed
            if reading.is_lost:
                reader.forget_bytes()
                reading, conditional, turn = None, False, None
        share.resize(base + intake.kept)
        return reading.news()

    def take(self, log_id: str, slices: Iterator[News]) -> list[LogReset | Checkpoint | LogEntry] | None:
        """Return the events of the next slice; None after the last.

        Raises `InvalidAnswerError`, or `ResponseTooLargeError` for a body that inflates to more than it may.
        """
        path = f"/projects/{self.project_id}/runs/logs/{log_id}"
        try:
            news = next(slices, None)
        except msgspec.DecodeError as refusal:
            what = f"the log is not what the API promises: {refusal}"
            raise InvalidAnswerError(what, method="GET", path=path) from None
        except BodyTooLargeError as excess:
            raise ResponseTooLargeError(str(excess), method="GET", path=path) from None
        return None if news is None else self._events(log_id, news)

    def take_times(self) -> list[float]:
        """Return the sound times of the entries read since the last call, in seconds by the server's clock."""
        times, self._times = self._times, None
        return times or []

    def added(self, run: Run) -> RunAdded:
        """Tell that the run is followed, with its status as it is now."""
        self.tell(run.status)
        return RunAdded(
            project_id=self.project_id,
            run_id=self.run_id,
            id=f"{self.run_id}:added:{self.removals + 1}",
            cursor=self.token(),
            label=self.label,
            run=run,
        )

    def removed(self) -> RunRemoved:
        """Tell that the run is followed no more, though it is not over."""
        self.removals += 1
        return RunRemoved(
            project_id=self.project_id,
            run_id=self.run_id,
            id=f"{self.run_id}:removed:{self.removals}",
            cursor=self.token(),
            label=self.label,
        )

    def failed(self, error: RequestError, now: float, *, fatal: bool) -> FollowFailed:
        """Tell that the run cannot be followed, since `now` or, where it is `fatal`, for good."""
        return FollowFailed(
            project_id=self.project_id,
            run_id=self.run_id,
            id=f"{self.run_id}:failed:{'fatal' if fatal else round(now * 1000)}",
            cursor=self.end_token() if fatal else self.token(),
            label=self.label,
            error=str(error),
            fatal=fatal,
        )

    def token(self, *, ended: bool = False) -> str:
        """Return the token that resumes after all that was read; with `ended`, after the run's end.

        What is held back for the first snapshot's last entries does not count as read.
        """
        is_held_back = self.beginning is not None and self.beginning.tail is not None
        positions = {} if is_held_back else self._positions()
        return self._cursor(positions, ended=ended, beginning=self.beginning).token()

    def first_token(self) -> str:
        """Return the token from which on nothing is left out but what is too old."""
        return self._cursor({}, beginning=self._since_alone()).token()

    def end_token(self) -> str:
        """Return a short token that says only that the run is over and was told to its end."""
        return self._cursor({}, ended=True).token()

    def snapshot(self) -> dict[str, tuple[int, bytes]]:
        """Return what was read of each log: how many entries, and what they mean."""
        return {log_id: (at.read, at.digest) for log_id, at in self._positions().items()}

    def _since_alone(self) -> Beginning | None:
        since = None if self.beginning is None else self.beginning.since
        return None if since is None else Beginning(since=since)

    def _positions(self) -> dict[str, Position]:
        return {log_id: reader.position for log_id, reader in self._readers.items()}

    def _cursor(
        self, positions: dict[str, Position], *, ended: bool = False, beginning: Beginning | None = None
    ) -> Cursor:
        return Cursor(
            self.run_id,
            positions,
            ended=ended,
            project_id=self.project_id,
            status=self._status,
            status_date=self._status_date,
            removals=self.removals,
            beginning=beginning,
        )

    def _events(self, log_id: str, news: News) -> list[LogReset | Checkpoint | LogEntry]:
        events: list[LogReset | Checkpoint | LogEntry] = []
        positions = self._positions()
        beginning = self._since_alone()
        if news.reset is not None:
            events.append(self._reset(log_id, news.reset))
        for step in news.steps:
            positions[log_id] = step.position
            events.append(self._entry(log_id, step, self._cursor(positions, beginning=beginning).token()))
        return events

    def _entry(self, log_id: str, step: Step, cursor: str) -> Checkpoint | LogEntry:
        event = event_of(
            step.entry.value,
            project_id=self.project_id,
            run_id=self.run_id,
            log_id=log_id,
            index=step.index,
            fingerprint=step.entry.fingerprint.hex(),
            cursor=cursor,
            label=self.label,
        )
        if event.time is not None and 0 < event.time < FARTHEST:
            self._times = self._times or []
            self._times.append(event.time)
        return event

    def _reset(self, log_id: str, reset: Reset) -> LogReset:
        start = self._readers[log_id].position
        return LogReset(
            project_id=self.project_id,
            run_id=self.run_id,
            log_id=log_id,
            id=f"{log_id}:{start.index}:reset:{start.digest.hex()[:16]}",
            cursor=self.token(),
            label=self.label,
            read=reset.read,
            recognized=reset.recognized,
            resumes_at=reset.resumes_at,
        )
