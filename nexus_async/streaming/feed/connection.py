"""Whether an API answers at all, as far as the requests of one client tell, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.errors import (
    ConnectError,
    ConnectionLostError,
    RequestTimeoutError,
    ServerError,
    StatusError,
)
from nexus_async.http.retry import is_passing
from nexus_async.streaming.outage import pause_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.errors import RequestError

FAILURES: Final = 3
"""Requests in a row without an answer that make an outage, where a look at a project is among them."""


class Connection:
    """Count the requests that were not answered since the last that was. `jitter` spreads the pauses."""

    def __init__(self, jitter: Callable[[float], float]) -> None:
        self._jitter = jitter
        self._failures = 0
        self._askers: set[str] = set()
        self._has_looked = False
        self.since: float | None = None
        """When the first of them was noted, in seconds on the client's clock; None while all is well."""
        self.is_down = False
        """Whether this counts as an outage."""
        self.next_probe = 0.0
        """While it is down: when the API is to be asked again, on the client's clock."""

    @property
    def is_suspicious(self) -> bool:
        """Tell whether it would count as an outage if a look at a project got no answer either."""
        return not self.is_down and self._failures >= FAILURES

    def failed(self, asker: str, now: float, *, askers: int, is_look: bool) -> bool:
        """Note that `asker`, one of `askers`, got no answer. Tell whether an outage begins with it.

        Logs alone make none: where they are out of reach, each run tells so.
        """
        self._failures += 1
        self._askers.add(asker)
        self._has_looked = self._has_looked or is_look
        self.since = now if self.since is None else self.since
        self.next_probe = now + pause_after(self._failures, self._jitter)
        is_outage = self._has_looked and self._failures >= FAILURES and len(self._askers) >= min(2, askers)
        if self.is_down or not is_outage:
            return False
        self.is_down = True
        return True

    def answered(self) -> float | None:
        """Note an answer. Return since when there was none where an outage ends with it."""
        if self.since is None:
            return None
        since = self.since if self.is_down else None
        self._failures, self.since, self.is_down, self._has_looked = 0, None, False, False
        self._askers.clear()
        return since


def is_refusal(error: RequestError) -> bool:
    """Tell whether asking again would get the same answer."""
    return isinstance(error, StatusError) and not isinstance(error, ServerError) and not is_passing(error)


def concerns_all(error: RequestError) -> bool:
    """Tell whether a failure says that the API does not answer, rather than something of what was asked."""
    return isinstance(error, (ConnectError, ConnectionLostError, RequestTimeoutError, ServerError))
