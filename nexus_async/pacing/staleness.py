"""How stale the news of a run are expected to be, by the intervals between its events so far.

The next event comes an interval X after the newest. X follows a mixture: every interval that was seen, smeared
to a uniform law, and a heavy tail for what was never seen. None came up to the age `silent`; a poll at the age
`a` then finds an event that is stale by

    E(a) = E[(a - X)+ | X > silent]

seconds on average. With F(a) the integral of the mixture's distribution M up to `a`, both without the
condition, that is (F(a) - F(silent) - M(silent) (a - silent)) / (M(inf) - M(silent)). E is convex and grows with
`a`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import accumulate
from math import log1p, sqrt
from operator import mul
from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.config import FIRST_INTERVAL
from nexus_async.pacing.mixture import Mixture, mixture_of

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEMBERED: Final = 32
"""Intervals that are kept: more would not follow a change of speed."""
WEIGHTS: Final = tuple(0.95**age for age in range(REMEMBERED))
"""What an interval counts, by how many came after it."""
TAIL_WEIGHT: Final = 0.3
"""What the heavy tail counts beside them."""
CLOSE_ENOUGH: Final = 0.001
"""Seconds: the solution of E(a) = price is no more exact than the wire's milliseconds."""
STEPS: Final = 16
"""It takes two or three: each goes to the root of the parabola that E touches, which the tail makes a little too
steep, so E(a) is below the price until then (E. Halley's irrational formula)."""


class IntervalLaw(msgspec.Struct, frozen=True, eq=False, gc=False):
    """The law of a run's next interval, made by `law_of`.

    A fleet holds thousands, so what is summed is kept as bytes, at which the garbage collector need not look.
    """

    median: float
    """The weighted median of the intervals, in seconds."""
    mean: float
    """Their weighted mean, in seconds."""
    _sums: bytes
    """A `Mixture`: its columns of 64-bit floats, one after the other."""

    def expected_staleness(self, age: float, silent: float) -> float:
        """Return E(age) in seconds, where no event came up to the age `silent`, of 0 or more."""
        if age <= silent:
            return 0.0
        mixture, gap, scale = self._mixture(), age - silent, self.median + silent
        passed, stale = mixture.at(silent)
        _, later = mixture.at(age)
        tail = TAIL_WEIGHT * self.median
        left = mixture.passed[-1] - passed + tail / scale
        return (later - stale - passed * gap + tail * _excess(gap / scale)) / left

    def age_worth(self, price: float, silent: float) -> float:
        """Return the age at which E is worth `price`, both in seconds, where no event came up to `silent`."""
        price = price_of_first(price, self.mean)
        mixture, scale = self._mixture(), self.median + silent
        knots, passed, stale = mixture
        ahead = bisect_right(knots, silent)
        if ahead == len(knots):
            return silent + scale * _solved_excess(price / scale)
        passed_silent, stale_silent = mixture.at(silent)
        tail = TAIL_WEIGHT * self.median
        wanted = price * (passed[-1] - passed_silent + tail / scale) + stale_silent

        def reached(knot: int) -> float:
            gap = knots[knot] - silent
            return stale[knot] - passed_silent * gap + tail * _excess(gap / scale) - wanted

        knot = ahead + bisect_left(range(ahead, len(knots)), 0.0, key=reached)
        start, density = knots[knot - 1], mixture.density(knot - 1)
        level = stale[knot - 1] - passed_silent * (start - silent) - wanted
        rise = passed[knot - 1] - passed_silent
        age = max(start, silent)
        for _ in range(STEPS):
            on, share = age - start, (age - silent) / scale
            above = level + (rise + density / 2 * on) * on + tail * _excess(share)
            slope = rise + density * on + tail / scale * share / (1 + share)
            curve = density + tail / (scale + age - silent) ** 2
            step = -2 * above / (slope + sqrt(max(0.0, slope * slope - 2 * curve * above)))
            age += step
            if abs(step) < CLOSE_ENOUGH:
                break
        return age

    def _mixture(self) -> Mixture:
        sums = memoryview(self._sums).cast("d")
        knots = len(sums) // 3
        return Mixture(sums[:knots], sums[knots : 2 * knots], sums[2 * knots :])


def law_of(intervals: Sequence[float], noise: float = 0.0) -> IntervalLaw:
    """Return the law of a run's next interval, given the last ones, newest first, in seconds, each above zero.

    `noise` is what the clock may be off, in seconds: no interval is known better.
    """
    order = sorted(range(len(intervals)), key=intervals.__getitem__)
    lengths, weights = [intervals[which] for which in order], [WEIGHTS[which] for which in order]
    median, mean = _weighted_averages(lengths, weights)
    knots, passed, stale = mixture_of(lengths, weights, median=median, noise=noise)
    return IntervalLaw(median, mean, array("d", [*knots, *passed, *stale]).tobytes())


def price_of_first(price: float, interval: float) -> float:
    """Return how stale the first pending event is when all pending events together are worth `price`, in seconds.

    With an event every `interval`, others pend as soon as the first one is older than that: at an age of `s` all
    of them together are stale by s (s + interval) / (2 interval).
    """
    if price <= interval:
        return price
    return interval / 2 * (sqrt(1 + 8 * price / interval) - 1)


def _weighted_averages(lengths: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Return the median and the mean of lengths that ascend."""
    if not lengths:
        return FIRST_INTERVAL, FIRST_INTERVAL
    sums, total = list(accumulate(weights)), sum(map(mul, lengths, weights))
    return lengths[bisect_left(sums, sums[-1] / 2)], total / sums[-1]


def _excess(share: float) -> float:
    """Return the staleness that a Lomax law of scale 1, silent so far, adds up to the age `share`."""
    return share - log1p(share)


def _solved_excess(worth: float) -> float:
    """Return the share whose excess is `worth`: Newton from above, where a convex curve is never overshot."""
    share = worth + sqrt(worth * (worth + 2))
    for _ in range(STEPS):
        step = (_excess(share) - worth) * (1 + share) / share
        share -= step
        if step < 1e-6 * share:
            break
    return share
