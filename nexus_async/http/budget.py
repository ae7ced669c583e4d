"""How many retries a client may make, without I/O: so that those who retry do not keep an API down."""

from __future__ import annotations

from nexus_async.config import RETRY_BUDGET, RETRY_REFILL


class RetryBudget:
    """Hold as many retries as may be made: each spends one, each success brings a share of one back.

    Where much fails, nothing comes back, and calls fail at once that would be tried again otherwise. A few
    failures among many successes never meet it.
    """

    __slots__ = ("_left", "refill", "size")

    def __init__(self, size: int = RETRY_BUDGET, *, refill: float = RETRY_REFILL) -> None:
        self.size = size
        """Retries that it holds at most."""
        self.refill = refill
        """Retries that each success brings back."""
        self._left = float(size)

    @property
    def left(self) -> float:
        """Return how many retries may be made now."""
        return self._left

    def spend(self) -> bool:
        """Take a retry; tell whether there was one."""
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def earn(self) -> None:
        """Note a success."""
        if self._left < self.size:
            self._left = min(self._left + self.refill, self.size)
