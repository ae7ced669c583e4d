"""How stale the news of a run are expected to be, by the intervals between its events so far.

The next event comes an interval X after the newest. X follows a mixture: every interval that was seen, smeared
to a uniform law, and a heavy tail for what was never seen. None came up to the age `silent`; a poll at the age
`a` then finds an event that is stale by

    E(a) = E[(a - X)+ | X > silent]

seconds on average. With F(a) the integral of the mixture's distribution M up to `a`, both without the
condition, that is (F(a) - F(silent) - M(silent) (a - silent)) / (M(inf) - M(silent)). M of the smeared intervals
is a broken line, so F at its knots is summed once, and both are exact between them. E is convex and grows with
`a`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import log1p, sqrt
from operator import add, mul, sub
from typing import TYPE_CHECKING, Final

from nexus_async.config import FIRST_INTERVAL

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEMBERED: Final = 32
"""Intervals that are kept: more would not follow a change of speed."""
WEIGHTS: Final = tuple(0.95**age for age in range(REMEMBERED))
"""What an interval counts, by how many came after it."""
TAIL_WEIGHT: Final = 0.3
"""What the heavy tail counts beside them."""
NEIGHBOUR: Final = 3
"""An interval is smeared as far as its third-nearest neighbour: one spread for all would blur the two tight
clusters of a run that pauses for an evaluation at every tenth checkpoint."""
LEAST_SMEAR: Final = 0.002
"""Share of the median that is added to every smear."""
FEW: Final = 4
"""Up to this many intervals neighbours prove little,"""
SMEAR_OF_FEW: Final = 0.1
"""and each is smeared by at least this share of itself."""
CLOSE_ENOUGH: Final = 0.001
"""Seconds: the solution of E(a) = price is no more exact than the wire's milliseconds."""
NEWTON_STEPS: Final = 16
"""It takes two to five."""


class IntervalLaw:
    """The law of a run's next interval, given the last ones, newest first, in seconds, each above zero.

    `noise` is what the clock may be off, in seconds: no interval is known better.
    """

    __slots__ = ("_knots", "_passed", "_stale", "mean", "median")

    def __init__(self, intervals: Sequence[float] = (), noise: float = 0.0) -> None:
        known = sorted(zip(intervals, WEIGHTS, strict=False))
        lengths, weights = [length for length, _ in known], [weight for _, weight in known]
        self.median = _weighted_median(lengths, weights)
        self.mean = _weighted_mean(lengths, weights)
        ends, rises = _smeared(known, LEAST_SMEAR * self.median, noise)
        # knots and sums in half the room; what follows is of them as they are kept
        knots: array[float] = array("f", [0.0, *ends])
        steps = list(map(sub, knots[1:], knots))
        sums = accumulate(map(mul, accumulate(rises, initial=0.0), steps), initial=0.0)
        passed: array[float] = array("f", sums)
        halves = [step / 2 for step in steps]
        stale: array[float] = array("d", accumulate(map(mul, map(add, passed[1:], passed), halves), initial=0.0))
        self._knots, self._passed, self._stale = knots, passed, stale

    def expected_staleness(self, age: float, silent: float) -> float:
        """Return E(age) in seconds, where no event came up to the age `silent`, of 0 or more."""
        if age <= silent:
            return 0.0
        gap, scale = age - silent, self.median + silent
        passed, stale = self._smeared_at(silent)
        _, later = self._smeared_at(age)
        tail = TAIL_WEIGHT * self.median
        left = self._passed[-1] - passed + tail / scale
        return (later - stale - passed * gap + tail * _excess(gap / scale)) / left

    def age_worth(self, price: float, silent: float) -> float:
        """Return the age at which E is worth `price`, both in seconds, where no event came up to `silent`."""
        price = price_of_first(price, self.mean)
        knots, scale = self._knots, self.median + silent
        ahead = bisect_right(knots, silent)
        if ahead == len(knots):
            return silent + scale * _solved_excess(price / scale)
        passed, stale = self._smeared_at(silent)
        tail = TAIL_WEIGHT * self.median
        wanted = price * (self._passed[-1] - passed + tail / scale)

        def reached(knot: int) -> float:
            gap = knots[knot] - silent
            return self._stale[knot] - stale - passed * gap + tail * _excess(gap / scale) - wanted

        knot = ahead + bisect_left(range(ahead, len(knots)), 0.0, key=reached)
        start, density = knots[knot - 1], self._density(knot - 1)
        level = self._stale[knot - 1] - stale - passed * (start - silent) - wanted
        rise = self._passed[knot - 1] - passed
        age = knots[min(knot, len(knots) - 1)]
        for _ in range(NEWTON_STEPS):
            on, share = age - start, (age - silent) / scale
            above = level + (rise + density / 2 * on) * on + tail * _excess(share)
            step = above / (rise + density * on + tail / scale * share / (1 + share))
            age -= step
            if abs(step) < CLOSE_ENOUGH:
                break
        return age

    def _smeared_at(self, age: float) -> tuple[float, float]:
        """Return M and F of the smeared intervals alone."""
        knot = bisect_right(self._knots, age) - 1
        on, passed, density = age - self._knots[knot], self._passed[knot], self._density(knot)
        return passed + density * on, self._stale[knot] + (passed + density / 2 * on) * on

    def _density(self, knot: int) -> float:
        """Return the slope of M after a knot."""
        if knot + 1 >= len(self._knots):
            return 0.0
        return (self._passed[knot + 1] - self._passed[knot]) / (self._knots[knot + 1] - self._knots[knot])


def price_of_first(price: float, interval: float) -> float:
    """Return how stale the first pending event is when all pending events together are worth `price`, in seconds.

    With an event every `interval`, others pend as soon as the first one is older than that: at an age of `s` all
    of them together are stale by s (s + interval) / (2 interval).
    """
    if price <= interval:
        return price
    return interval / 2 * (sqrt(1 + 8 * price / interval) - 1)


def _weighted_median(lengths: Sequence[float], weights: Sequence[float]) -> float:
    if not lengths:
        return FIRST_INTERVAL
    sums = list(accumulate(weights))
    return lengths[bisect_left(sums, sums[-1] / 2)]


def _weighted_mean(lengths: Sequence[float], weights: Sequence[float]) -> float:
    if not lengths:
        return FIRST_INTERVAL
    total: float = sum(map(mul, lengths, weights))
    return total / sum(weights)


def _smeared(
    known: Sequence[tuple[float, float]], least: float, noise: float
) -> tuple[Sequence[float], Sequence[float]]:
    """Return where the density of M rises or falls, sorted, and by how much. `known` is sorted by length."""
    if not known:
        return (), ()
    last = len(known) - 1
    low, high = 0, min(NEIGHBOUR, last)
    few = SMEAR_OF_FEW if last < FEW else 0.0
    ends: list[tuple[float, float]] = []
    for length, weight in known:
        below = length - known[low][0]
        while high < last and known[high + 1][0] - length < below:
            low, high = low + 1, high + 1
            below = length - known[low][0]
        above = known[high][0] - length
        smear = min(length, max(below + least, above + least, noise, few * length))
        density = weight / (2 * smear)
        ends += ((length - smear, density), (length + smear, -density))
    ends.sort()
    at, rises = zip(*ends, strict=True)
    return at, rises


def _excess(share: float) -> float:
    """Return the staleness that a Lomax law of scale 1, silent so far, adds up to the age `share`."""
    return share - log1p(share)


def _solved_excess(worth: float) -> float:
    """Return the share whose excess is `worth`: Newton from above, where a convex curve is never overshot."""
    share = worth + sqrt(worth * (worth + 2))
    for _ in range(NEWTON_STEPS):
        step = (_excess(share) - worth) * (1 + share) / share
        share -= step
        if step < 1e-6 * share:
            break
    return share
