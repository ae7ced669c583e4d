"""Whether an API answers at all, as far as the requests of one client tell, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.errors import ConnectError, ConnectionLostError, RequestTimeoutError, ServerError
from nexus_async.streaming.outage import pause_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.errors import RequestError

FAILURES: Final = 3
"""Requests in a row without an answer, of more than one asker where there are more, that make an outage."""


class Connection:
    """Count the requests that were not answered since the last that was. `jitter` spreads the pauses."""

    def __init__(self, jitter: Callable[[float], float]) -> None:
        self._jitter = jitter
        self._failures = 0
        self._askers: set[str] = set()
        self.since: float | None = None
        """When the first of them was noted, in seconds on the client's clock; None while all is well."""
        self.is_down = False
        """Whether this counts as an outage."""
        self.next_probe = 0.0
        """While it is down: when the API is to be asked again, on the client's clock."""

    @property
    def is_suspicious(self) -> bool:
        """Tell whether it would count as an outage if another asker got no answer either."""
        return not self.is_down and self._failures >= FAILURES

    def failed(self, asker: str, now: float, *, askers: int) -> bool:
        """Note that `asker`, one of `askers`, got no answer. Tell whether an outage begins with it."""
        self._failures += 1
        self._askers.add(asker)
        self.since = now if self.since is None else self.since
        self.next_probe = now + pause_after(self._failures, self._jitter)
        if self.is_down or self._failures < FAILURES or len(self._askers) < min(2, askers):
            return False
        self.is_down = True
        return True

    def answered(self) -> float | None:
        """Note an answer. Return since when there was none where an outage ends with it."""
        if self.since is None:
            return None
        since = self.since if self.is_down else None
        self._failures, self.since, self.is_down = 0, None, False
        self._askers.clear()
        return since


def concerns_all(error: RequestError) -> bool:
    """Tell whether a failure says that the API does not answer, rather than something of what was asked."""
    return isinstance(error, (ConnectError, ConnectionLostError, RequestTimeoutError, ServerError))
