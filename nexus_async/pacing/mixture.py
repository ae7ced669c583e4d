"""The intervals of a run, each smeared to a uniform law.

The density of their mixture rises where the smear of one begins and falls where it ends, so that its distribution
M is a broken line. M and its integral F are summed once, at the knots, and both are exact between them.
"""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from operator import add, mul, sub
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

NEIGHBOUR: Final = 3
"""Which neighbour tells how far an interval is smeared: one spread for all would blur the two tight clusters of a
run that pauses for an evaluation at every eighth checkpoint,"""
SPREAD: Final = 2.5
"""and how many times its distance. On the recorded runs in `benchmarks`, at the price of 1 s, this makes the mean
delay and its 95th percentile a tenth less than a spread of 1, with 3 % more requests, and the mean of memoryless
arrivals 4 % less. A farther neighbour would do the same, but join the clusters."""
LEAST_SMEAR: Final = 0.002
"""Share of the median that is added to every smear."""
FEW: Final = 4
"""Up to this many intervals neighbours prove little,"""
SMEAR_OF_FEW: Final = 0.1
"""and each is smeared by at least this share of itself."""


class Mixture(NamedTuple):
    """M and F by the knots, the first of which is at 0."""

    knots: Sequence[float]
    """Seconds at which the density changes, ascending."""
    passed: Sequence[float]
    """M at each knot."""
    stale: Sequence[float]
    """F at each knot."""

    def at(self, age: float) -> tuple[float, float]:
        """Return M and F at an age of 0 or more."""
        knot = bisect_right(self.knots, age) - 1
        on, passed, density = age - self.knots[knot], self.passed[knot], self.density(knot)
        return passed + density * on, self.stale[knot] + (passed + density / 2 * on) * on

    def density(self, knot: int) -> float:
        """Return the slope of M after a knot."""
        knots, passed = self.knots, self.passed
        if knot + 1 >= len(knots):
            return 0.0
        return (passed[knot + 1] - passed[knot]) / (knots[knot + 1] - knots[knot])


def mixture_of(lengths: Sequence[float], weights: Sequence[float], *, median: float, noise: float) -> Mixture:
    """Return the mixture of intervals that ascend, in seconds.

    `median` is their weighted median, `noise` the seconds that the clock may be off.
    """
    changes = _changes(lengths, weights, LEAST_SMEAR * median, noise)
    changes.sort()
    ends, rises = zip(*changes, strict=True) if changes else ((), ())
    knots = [0.0, *ends]
    steps = list(map(sub, knots[1:], knots))
    densities = accumulate(rises, initial=0.0)
    passed = list(accumulate(map(mul, densities, steps), initial=0.0))
    halves = [step / 2 for step in steps]
    return Mixture(knots, passed, list(accumulate(map(mul, map(add, passed[1:], passed), halves), initial=0.0)))


def _changes(
    lengths: Sequence[float], weights: Sequence[float], least: float, noise: float
) -> list[tuple[float, float]]:
    """Return where the density changes, and by how much: where the smears begin, then where they end."""
    last = len(lengths) - 1
    few = SMEAR_OF_FEW if last < FEW else 0.0
    low, high = 0, min(NEIGHBOUR, last)
    begins: list[tuple[float, float]] = []
    ends: list[tuple[float, float]] = []
    for length, weight in zip(lengths, weights, strict=True):
        below = length - lengths[low]
        while high < last and lengths[high + 1] - length < below:
            low, high = low + 1, high + 1
            below = length - lengths[low]
        above = lengths[high] - length
        smear = SPREAD * (below if below > above else above) + least  # noqa: FURB136 - max and min would take
        if smear < noise:  # noqa: PLR1730 - a quarter of the whole
            smear = noise
        if few and smear < few * length:
            smear = few * length
        if smear > length:  # noqa: PLR1730
            smear = length
        density = weight / (smear + smear)
        begins.append((length - smear, density))
        ends.append((length + smear, -density))
    return begins + ends
