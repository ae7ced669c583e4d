"""What the polls of a feed cost and brought, over the last minute or so."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY: Final = 30.0
"""Seconds after which what happened counts a third."""
MOMENT: Final = 0.1
"""Seconds within which all counts the same."""


class Rate:
    """Average something over time, what is longer ago the less."""

    __slots__ = ("_at", "_begun", "_sum")

    def __init__(self, now: float) -> None:
        self._begun = self._at = now
        self._sum = 0.0

    def add(self, amount: float, now: float) -> None:
        """Note that so much happened at `now`, in seconds."""
        self._fade(now)
        self._sum += amount

    def per_second(self, now: float) -> float:
        """Return how much happens a second."""
        self._fade(now)
        weight = MEMORY * (1 - exp(-(now - self._begun) / MEMORY))
        return self._sum / weight if weight > 0 else 0.0

    def _fade(self, now: float) -> None:
        if now - self._at > MOMENT:
            self._sum *= exp((self._at - now) / MEMORY)
            self._at = now


class Rates:
    """Count the polls of one client for one feed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        now = clock()
        self._polls, self._bytes = Rate(now), Rate(now)
        self.polls = 0
        """Polls that were answered."""
        self.wasted = 0
        """Those of them that brought nothing new of a log."""
        self.failures = 0
        """Polls that were not answered, or not as the API promises."""
        self.limited = 0
        """Those of them that were answered with 429."""

    def polled(self, size: int, *, brought: bool) -> None:
        """Note a poll that brought `size` bytes, and whether there was anything new in them."""
        now = self._clock()
        self._polls.add(1, now)
        self._bytes.add(size, now)
        self.polls += 1
        self.wasted += not brought

    def failed(self, *, limited: bool) -> None:
        """Note a poll that failed."""
        self.failures += 1
        self.limited += limited

    @property
    def polls_per_second(self) -> float:
        """Return how many polls are answered a second."""
        return self._polls.per_second(self._clock())

    @property
    def bytes_per_second(self) -> float:
        """Return how many bytes they bring a second."""
        return self._bytes.per_second(self._clock())
