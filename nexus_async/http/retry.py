"""When to ask again, and after how long, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import backoff
import msgspec

from nexus_async.config import ATTEMPTS, RETRY_AFTER_CAP
from nexus_async.errors import (
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    RateLimitedError,
    RequestError,
    RequestTimeoutError,
    ResponseTooLargeError,
    SecretKeyError,
    ServerError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async.http.protocol import Request

PASSING_STATUS: Final = frozenset({500, 502, 503, 504, 520, 521, 522, 523, 524})
"""Server errors that often pass: the API's own, and those of the edge proxy before it."""

_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 8.0


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Decide whether a failed attempt is followed by another."""

    attempts: int = ATTEMPTS
    """Tries in all."""
    retry_after_cap: float = RETRY_AFTER_CAP
    """Seconds; an answer that asks for a longer pause is raised at once."""
    jitter: Callable[[float], float] = backoff.full_jitter
    """Turns a pause in seconds into the one that is made."""

    def pauses(self) -> Iterator[float]:
        """Yield the seconds before the second attempt, the third, and so on, without jitter."""
        pauses = backoff.expo(factor=_FIRST_PAUSE, max_value=_LONGEST_PAUSE)
        next(pauses)  # backoff's first value is None, for a generator that is sent to
        return pauses

    def pause(self, request: Request, error: RequestError, pauses: Iterator[float]) -> float | None:
        """Return the seconds to wait for before another attempt, or None where there must be none."""
        if error.attempts >= self.attempts or not may_repeat(request, error):
            return None
        asked = getattr(error, "retry_after", None) or 0.0
        return None if asked > self.retry_after_cap else max(asked, self.jitter(next(pauses)))


def may_repeat(request: Request, error: RequestError) -> bool:
    """Tell whether a request may be sent again after `error`.

    Nothing was carried out when no connection stood, or when the API said 429. All else that passes is
    repeated only where a second time does no harm.
    """
    if isinstance(error, (SecretKeyError, ConnectError, RateLimitedError)):
        return True
    return request.repeatable and is_passing(error) and not isinstance(error, InvalidAnswerError)


def may_have_been_carried_out(error: RequestError) -> bool:
    """Tell whether the request may have taken effect although `error` came of it."""
    return isinstance(
        error,
        (ConnectionLostError, RequestTimeoutError, InvalidAnswerError, ResponseTooLargeError, ServerError),
    )


def is_passing(error: RequestError) -> bool:
    """Tell whether the same request may well succeed later."""
    if isinstance(error, ServerError):
        return error.status in PASSING_STATUS
    return isinstance(
        error,
        (
            SecretKeyError,
            ConnectError,
            ConnectionLostError,
            RequestTimeoutError,
            RateLimitedError,
            InvalidAnswerError,
        ),
    )
