"""What the server's clock is off, as far as polls have proven it."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from itertools import accumulate
from typing import Final

BRACKETS: Final = 24
"""Brackets that are kept: a clock that was set anew is believed after half of them."""

FAR: Final = 1e8
"""Seconds: a bracket this wide had no poll before it."""


class ServerClock:
    """The shift from the server's time to the client's: clock skew and publishing lag in one number.

    Both belong to the server, so one clock serves all runs of a client. Each event that a poll brings proves a
    bracket of the shift, between the poll before it, which did not bring it, and this one. What most of the last
    brackets share is believed (K. Marzullo's intersection, which RFC 5905 uses in NTP, section 11.2.1), so single
    events that came late or bear a wrong time do no harm.

    `shift` is what is assumed until the first bracket, in seconds: 0 where the client's clock is its wall clock.
    """

    __slots__ = ("_brackets", "_edges", "noise", "shift")

    shift: float
    """Seconds to add to a server's time to get the client's time at which a poll can show it."""
    noise: float
    """Seconds by which an event may come sooner or later than that: the width of what most brackets share, or,
    where fewer than half share anything, the median distance to a bracket."""

    def __init__(self, shift: float = 0.0) -> None:
        self._brackets: deque[tuple[float, float]] = deque()
        self._edges: list[tuple[float, int]] = []
        self.shift = shift
        self.noise = 0.0

    def note(self, previous_poll: float, poll: float, t: float) -> None:
        """Note that an event of the server's time `t` was there at `poll`, not yet at `previous_poll`.

        The two are seconds on the client's clock, `t` is seconds on the server's.
        """
        low, high = previous_poll - t, poll - t
        if not low < high:  # a clock that was set back, or a time so far off that a float cannot tell
            return
        if poll - previous_poll < FAR:
            self._keep(low, high)
            self._intersect()
        elif not self._brackets:
            self.shift = min(self.shift, high)

    def _keep(self, low: float, high: float) -> None:
        if len(self._brackets) == BRACKETS:
            low_of_oldest, high_of_oldest = self._brackets.popleft()
            del self._edges[bisect_left(self._edges, (low_of_oldest, 1))]
            del self._edges[bisect_left(self._edges, (high_of_oldest, -1))]
        self._brackets.append((low, high))
        insort(self._edges, (low, 1))
        insort(self._edges, (high, -1))

    def _intersect(self) -> None:
        cover = list(accumulate([step for _, step in self._edges]))
        most = max(cover)
        at = cover.index(most)
        low, high = self._edges[at][0], self._edges[at + 1][0]
        self.shift = (low + high) / 2
        self.noise = high - low
        if 2 * most <= len(self._brackets):
            self.noise = max(self.noise, self._median_miss())

    def _median_miss(self) -> float:
        shift = self.shift
        misses = sorted(max(0.0, low - shift, shift - high) for low, high in self._brackets)
        return misses[len(misses) // 2]
