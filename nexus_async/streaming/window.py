"""Which of what is there already is handed out, without I/O."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING

from nexus_async.errors import ConfigurationError
from nexus_async.logs import Beginning

if TYPE_CHECKING:
    from nexus_async.events import Checkpoint, LogEntry


class Window:
    """Hold back the first snapshot of a run for its last `tail` events, and all that is older than `since`.

    `since` is in seconds since the Unix epoch by the server's clock, or an aware datetime.
    """

    def __init__(self, *, since: float | datetime | None, tail: int | None) -> None:
        self._since = _seconds(since)
        if tail is not None and (isinstance(tail, bool) or not isinstance(tail, int) or tail < 0):
            raise ConfigurationError(f"tail={tail!r} is no whole number of 0 or more")
        self._held: deque[Checkpoint | LogEntry] | None = None if tail is None else deque(maxlen=tail)
        self.before: str | None = None
        """The token after what was left out before the first event that is held; None: nothing was."""

    @classmethod
    def of(cls, beginning: Beginning | None) -> Window:
        """Return what holds back what a cursor says; None: nothing."""
        at = beginning or Beginning()
        return cls(since=at.since, tail=at.tail)

    @property
    def beginning(self) -> Beginning | None:
        """Return what cursors say of it until the first snapshot is read; None where it holds nothing back."""
        if self._since is None and self._held is None:
            return None
        return Beginning(tail=None if self._held is None else self._held.maxlen, since=self._since)

    @property
    def is_holding(self) -> bool:
        """Tell whether events are held back until the first snapshot is read."""
        return bool(self._held)

    def pass_on(self, event: Checkpoint | LogEntry) -> Checkpoint | LogEntry | None:
        """Return the event if it is to be handed out now."""
        if self._is_too_old(event):
            self.before = self.before if self._held else event.cursor
            return None
        if self._held is None:
            return event
        if len(self._held) == self._held.maxlen:
            self.before = self._held[0].cursor if self._held else event.cursor
        self._held.append(event)
        return None

    def end_of_snapshot(self) -> list[Checkpoint | LogEntry]:
        """Return what the first snapshot was held back for; nothing is from now on."""
        held, self._held = self._held, None
        return list(held or ())

    def later(self) -> Window | None:
        """Return what is held back after the first snapshot; None: nothing."""
        return None if self._since is None else self

    def _is_too_old(self, event: Checkpoint | LogEntry) -> bool:
        return self._since is not None and event.time is not None and event.time < self._since


def _seconds(since: float | datetime | None) -> float | None:
    if isinstance(since, datetime):
        if since.tzinfo is None:
            raise ConfigurationError(f"since={since!r} has no time zone: give an aware datetime, or seconds")
        return since.timestamp()
    if since is not None and (isinstance(since, bool) or not isinstance(since, (int, float)) or since != since):  # noqa: PLR0124 - NaN
        raise ConfigurationError(f"since={since!r} is neither seconds since the Unix epoch nor a datetime")
    return since
