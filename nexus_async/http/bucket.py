"""How fast requests may go, without I/O: a token bucket that a 429 slows down and time brings back."""

from __future__ import annotations

from math import inf, sqrt
from typing import Final

SLOWEST: Final = 0.05
"""Share of the rate that 429s leave, however many there are."""
RECOVERY: Final = 60.0
"""Seconds in which a rate of nothing would become the whole one again."""
SAME: Final = 1.0
"""Seconds within which several 429s are one: those that were in flight together say the same."""


class Bucket:
    """Hold as many requests as may be sent at once: one second's worth, and one at least.

    Times are seconds by one clock, and never go back.
    """

    __slots__ = ("_counted", "_halved", "_rate", "_tokens", "_whole_rate")

    def __init__(self, requests_per_second: float, now: float) -> None:
        self._whole_rate = self._rate = requests_per_second
        self._tokens = max(requests_per_second, 1.0)
        self._counted = now
        """When `_tokens` and `_rate` are right: after a 429 a moment to come, and nothing is sent before it."""
        self._halved = -inf

    def delay(self, now: float) -> float:
        """Return the seconds until a request may be sent; none or less where it may be now."""
        self._refill(now)
        delay = self._counted - now
        return delay if self._tokens >= 1.0 else delay + self._seconds_for(1.0 - self._tokens)

    def left(self, now: float) -> float:
        """Return how many requests may be sent at once."""
        self._refill(now)
        return max(self._tokens, 0.0) if now >= self._counted else 0.0

    def take(self) -> None:
        """Send a request, of which `delay` said that it may be."""
        self._tokens -= 1.0

    def refund(self) -> None:
        """Take one back that was not sent."""
        self._tokens = min(self._tokens + 1.0, max(self._rate, 1.0))

    def slow_down(self, now: float, seconds: float) -> None:
        """Send nothing for `seconds`, then one, and others at half the rate."""
        self._refill(now)
        if now - self._halved >= SAME:
            self._halved = now
            self._rate = max(self._rate / 2, self._whole_rate * SLOWEST)
        self._tokens = min(self._tokens, 1.0)
        self._counted = max(self._counted, now + seconds)

    def _refill(self, now: float) -> None:
        elapsed = now - self._counted
        if elapsed <= 0.0:
            return
        self._counted, rate = now, self._rate
        if rate < self._whole_rate:
            self._rate = min(rate + elapsed * self._whole_rate / RECOVERY, self._whole_rate)
            rate = (rate + self._rate) / 2
        self._tokens = min(self._tokens + elapsed * rate, max(self._rate, 1.0))

    def _seconds_for(self, tokens: float) -> float:
        """Solve `rate * t + growth * t**2 / 2 = tokens`: too little only where the rate is soon whole again."""
        growth = self._whole_rate / RECOVERY if self._rate < self._whole_rate else 0.0
        return 2 * tokens / (self._rate + sqrt(self._rate * self._rate + 2 * growth * tokens))
