"""When a run's log is worth the next request."""

from __future__ import annotations

from random import Random
from typing import Protocol

from nexus_async.config import POLL_JITTER, positive
from nexus_async.errors import ConfigurationError


class Pacing(Protocol):
    """Choose the next poll of a run."""

    def next_poll(self, now: float) -> float:
        """Return when to poll again, on the clock that `now` is read from, in seconds."""


class FixedInterval:
    """Poll every `seconds`, each time `jitter` of it sooner or later, so that many streams spread out.

    `random` makes the jitter repeatable.
    """

    def __init__(self, seconds: float, *, jitter: float = POLL_JITTER, random: Random | None = None) -> None:
        self.seconds = positive("seconds", seconds)
        if not 0 <= jitter < 1:
            raise ConfigurationError(f"jitter={jitter!r} is no share of the interval from 0 to below 1")
        self.jitter = jitter
        self._random = Random() if random is None else random  # noqa: S311 - no secret hangs on it

    def __repr__(self) -> str:
        return f"FixedInterval({self.seconds!r}, jitter={self.jitter!r})"

    def next_poll(self, now: float) -> float:
        """Return when to poll again, in seconds on the clock of `now`."""
        return now + self.seconds * self._random.uniform(1 - self.jitter, 1 + self.jitter)
