"""What is told of each call and of each attempt, to hooks and to the log; nothing is where nobody listens."""

from __future__ import annotations

import asyncio
import logging
import time
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, TypeAlias, TypeVar

import msgspec

from nexus_async.errors import ConfigurationError, OutcomeUnknownError
from nexus_async.http.protocol import request_id_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import TracebackType
    from typing import Self

    from nexus_async.http.protocol import Answer, Request
    from nexus_async.http.throttle import Turn

H = TypeVar("H")
logger = logging.getLogger("nexus_async.http")


class Call(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell of a call that begins: one request with all its attempts, or a poll with its only one."""

    method: str
    """The HTTP method."""
    path: str
    """Below the endpoint, without a query."""
    endpoint: str
    """The base URL of the client."""
    poll: bool
    """Whether a stream, a feed or a wait asks, whose next poll is the retry."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell how one attempt of a call went: metadata alone, never a body, a header or a key."""

    method: str
    """The HTTP method."""
    path: str
    """Below the endpoint, without a query."""
    poll: bool
    """Whether a stream, a feed or a wait asked."""
    number: int
    """1 for a call's first attempt."""
    began: float
    """Seconds since the Unix epoch, by the client's clock."""
    waited: float
    """Seconds until the throttle let it through."""
    seconds: float
    """Seconds from then to its end; 0 where it was never let through."""
    status: int | None
    """The answer's status; None where no whole answer came."""
    error: str | None
    """The name of the error's class, as `ServerError`; None for a success."""
    received: int
    """Bytes of the body that came, whether or not it was whole."""
    request_id: str | None
    """The answer's request ID, to give to the support; None where it had none."""
    retry_in: float | None
    """Seconds until the next attempt; None for the last one."""


OnAttempt: TypeAlias = "Callable[[Attempt], object]"
OnCall: TypeAlias = "Callable[[Call], AbstractContextManager[Callable[[Attempt], object]]]"


class Observer:
    """Know who is told: `on_attempt` after each attempt, and what `on_call` yields while a call is under way.

    Both run in the caller's task, and hold it up. What they raise is logged and breaks no call.
    """

    def __init__(
        self,
        *,
        endpoint: str = "",
        on_attempt: OnAttempt | None = None,
        on_call: OnCall | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.endpoint = endpoint
        self.on_attempt = _checked("on_attempt", on_attempt)
        self.on_call = _checked("on_call", on_call)
        self.clock = clock
        self._has_hooks = on_attempt is not None or on_call is not None

    def observe(self, request: Request, *, poll: bool = False) -> Observation | None:
        """Return what follows a call, or None where nobody wants to know."""
        if not self._has_hooks and not logger.isEnabledFor(logging.DEBUG):
            return None
        return Observation(self, request, poll=poll)


class Observation:
    """Follow one call, in a `with` around it: an attempt that is not told when the block ends is told then."""

    __slots__ = (
        "_began",
        "_call",
        "_is_open",
        "_loop",
        "_number",
        "_observer",
        "_sent",
        "_since",
        "_span",
        "_tell",
        "_turn",
        "answer",
    )

    def __init__(self, observer: Observer, request: Request, *, poll: bool) -> None:
        self._observer = observer
        self._call = Call(
            method=request.method,
            path=request.path.partition("?")[0],
            endpoint=observer.endpoint,
            poll=poll,
        )
        self._loop = asyncio.get_running_loop()
        self._span: AbstractContextManager[OnAttempt] | None = None
        self._tell: OnAttempt | None = None
        self._number, self._is_open = 0, False

    def begins(self) -> None:
        """Note that an attempt begins, and waits for its turn."""
        self._number, self._is_open, self._began = self._number + 1, True, self._observer.clock()
        self._since = self._loop.time()
        self._sent: float | None = None
        self._turn: Turn | None = None
        self.answer: Answer | None = None
        """What came of the attempt; whoever sends it says so."""

    def sends(self, turn: Turn) -> None:
        """Note that the throttle lets the attempt through; `turn` counts the bytes that come."""
        self._sent, self._turn = self._loop.time(), turn

    def ends(self, error: BaseException | None, *, retry_in: float | None = None) -> None:
        """Tell how the attempt that began last went."""
        attempt, self._is_open = self._attempt(error, retry_in), False
        logger.debug(
            "%s %s: %s (attempt %d, %.3f s after waiting %.3f s, %d bytes)",
            attempt.method,
            attempt.path,
            attempt.status or attempt.error,
            attempt.number,
            attempt.seconds,
            attempt.waited,
            attempt.received,
        )
        for tell in (self._tell, self._observer.on_attempt):
            if tell is not None:
                try:
                    tell(attempt)
                except Exception as failure:  # noqa: BLE001 - whatever a user's code raises
                    _log_failure(tell, failure)

    def __enter__(self) -> Self:
        on_call = self._observer.on_call
        if on_call is not None:
            try:
                span = on_call(self._call)
                self._tell = span.__enter__()
                self._span = span
            except Exception as failure:  # noqa: BLE001 - whatever a user's code raises
                _log_failure(on_call, failure)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_open:
            self.ends(error)
        if self._span is not None:
            try:
                self._span.__exit__(kind, error, trace)
            except Exception as failure:  # noqa: BLE001 - whatever a user's code raises
                _log_failure(self._span, failure)

    def _attempt(self, error: BaseException | None, retry_in: float | None) -> Attempt:
        now, answer = self._loop.time(), self.answer
        sent = now if self._sent is None else self._sent
        if isinstance(error, OutcomeUnknownError):
            error = error.reason
        return Attempt(
            method=self._call.method,
            path=self._call.path,
            poll=self._call.poll,
            number=self._number,
            began=self._began,
            waited=sent - self._since,
            seconds=now - sent,
            status=None if answer is None else answer.status,
            error=None if error is None else type(error).__name__,
            received=0 if self._turn is None else self._turn.received,
            request_id=None if answer is None else request_id_of(answer.headers),
            retry_in=retry_in,
        )


def _checked(name: str, hook: H) -> H:
    if iscoroutinefunction(hook) or iscoroutinefunction(getattr(hook, "__call__", None)):  # noqa: B004 - of what kind
        raise ConfigurationError(
            f"{name}={hook!r} is asynchronous: give a plain function, which may start a task"
        )
    if hook is not None and not callable(hook):
        raise ConfigurationError(f"{name}={hook!r} cannot be called: give a function")
    return hook


def _log_failure(hook: object, failure: Exception) -> None:
    failure.__suppress_context__ = True  # an attempt's error, which may repeat what the API said
    logger.error("the hook %r failed, and the call goes on", hook, exc_info=failure)
