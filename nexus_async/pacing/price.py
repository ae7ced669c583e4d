"""What a request costs a fleet, in seconds of delay: it steers itself until the budget is used and no more."""

from __future__ import annotations

from math import exp
from typing import Final

STEER: Final = 0.3
"""Natural logarithm of what the price gains while each run is taken once, all of them due."""
FIRST_PRICE: Final = 120.0
"""The first price of a fleet of N runs is (N / requests a second)**2 over this."""
SIZES: Final = 0.02
"""What the newest body counts in the mean size."""
SHARPNESS: Final = 4
"""How sharply the price of a poll turns from one for all to one by size as bytes become scarcer than requests."""


class SteeredPrice:
    """The price of a poll where `requests_per_second` and `bytes_per_second` are all that may be used.

    Whichever of the two binds holds up what is due: a run that was due when its turn came raises the price, one
    that came early lowers it, never below `floor`, what a request is worth at least.
    """

    __slots__ = ("_bodies", "_bytes_a_request", "_requests", "_runs", "floor", "value")

    def __init__(self, floor: float, *, requests_per_second: float, bytes_per_second: float) -> None:
        self.floor = self.value = floor
        self._requests = requests_per_second
        self._bytes_a_request = bytes_per_second / requests_per_second
        self._bodies = 0.0
        self._runs = 0

    def resize(self, runs: int) -> None:
        """Follow the number of runs: the price grows with the square of it, by that not past the first price."""
        first = (runs / self._requests) ** 2 / FIRST_PRICE
        followed = self.value * (runs / self._runs) ** 2 if self._runs else first
        if runs > self._runs:
            followed = min(followed, max(self.value, first))
        self.value, self._runs = max(self.floor, followed), runs

    def steer(self, *, due: bool) -> None:
        """Note that a run's turn came when it was due, or before."""
        self.value = max(self.floor, self.value * exp((STEER if due else -STEER) / max(1, self._runs)))

    def note(self, size: int) -> None:
        """Note that a poll brought `size` bytes."""
        self._bodies += (size - self._bodies) * SIZES if self._bodies else size

    def of(self, size: float) -> float:
        """Return the price of a poll that will bring about `size` bytes.

        Where requests bind all polls cost the same; where bytes bind, a poll costs in proportion to its size.
        """
        if not self._bodies:
            return self.value
        bound = (self._bodies / self._bytes_a_request) ** SHARPNESS
        return max(self.floor, self.value * (1 + bound * size / self._bodies) / (1 + bound))
