"""One call from its request to its value: attempts, pauses, and one timeout over it all."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, TypeVar

import backoff

from nexus_async.errors import (
    AuthenticationError,
    ClientClosedError,
    InvalidAnswerError,
    OutcomeUnknownError,
    RateLimitedError,
    RequestError,
    SecretKeyError,
)
from nexus_async.http.attempts import Observer
from nexus_async.http.budget import RetryBudget
from nexus_async.http.options import Options
from nexus_async.http.protocol import NOT_MODIFIED, UNREADABLE, body_of
from nexus_async.http.retry import RetryPolicy, may_have_been_carried_out
from nexus_async.http.stats import Counts
from nexus_async.http.waiting import Kind
from nexus_async.loggers import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import NoReturn, SupportsIndex

    from nexus_async.http.attempts import Observation
    from nexus_async.http.protocol import Answer, Request
    from nexus_async.http.server_time import ServerTime
    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.http.transport import Sink, Transport

T = TypeVar("T")
_NOTHING: Final = nullcontext()
_SOON = 0.001
"""Seconds for an attempt that is made although the time is up, so that its error tells so."""
_SPENT = "Not tried again: too much fails, and the client's retry budget is spent until something succeeds"
logger = logging.getLogger("nexus_async.http")


class _Door:
    """Tell whether a client is closed, to all its views."""

    is_closed = False


class Requester:
    """Make calls over a transport, again where that is safe."""

    def __init__(
        self,
        transport: Transport,
        *,
        options: Options | None = None,
        jitter: Callable[[float], float] = backoff.full_jitter,
        observer: Observer | None = None,
    ) -> None:
        self._transport = transport
        self._observer = observer or Observer()
        self._door = _Door()
        self.counts = Counts()
        """What was done so far."""
        self.budget = RetryBudget()
        """What bounds the retries of all calls together."""
        self._bind(options or Options(), jitter)

    def _bind(self, options: Options, jitter: Callable[[float], float]) -> None:
        self.options = options
        """What bounds each call."""
        self._retry = RetryPolicy(
            attempts=options.attempts, retry_after_cap=options.retry_after_cap, jitter=jitter
        )

    def with_options(self, options: Options) -> Requester:
        """Return one with other options that shares all else: connections, throttle, retry budget and closing."""
        view = object.__new__(Requester)
        vars(view).update(vars(self))
        view._transport = self._transport.with_options(options)
        view._bind(options, self._retry.jitter)
        return view

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError(
            "a client holds connections and the secret key, and is not pickled: make one in each process"
        )

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""
        return self._transport.throttle

    @property
    def server_time(self) -> ServerTime:
        """Return what is known of the server's clock."""
        return self._transport.server_time

    async def call(self, request: Request, decode: Callable[[bytes], T]) -> T:
        """Return the decoded answer; repeat what is safe to repeat while `timeout` lasts.

        Raises the `RequestError` of the last attempt, `OutcomeUnknownError` where the request may have been
        carried out and must not be sent again.
        """
        self.counts.calls += 1
        loop, transport = asyncio.get_running_loop(), self._transport
        observation = self._observer.observe(request)
        left, attempt, pauses, is_renewed = self.options.timeout, 1, None, False
        deadline = loop.time() + left
        with observation or _NOTHING:
            while True:
                seen = transport.key.generation
                self._begin_attempt(observation)
                try:
                    answer = await transport.send(request, within=left, observation=observation)
                    return self._value(request, answer, decode, observation)
                except RequestError as error:
                    error.attempts += attempt - 1
                    left = deadline - loop.time()
                    if not is_renewed and await self._renews_key(request, error, seen, left):
                        is_renewed, pause = True, 0.0
                    else:
                        pauses = pauses or self._retry.pauses()
                        pause = self._pause(request, error, pauses, left)
                    self._tell_of_retry(request, error, pause, observation)
                await asyncio.sleep(pause)
                # a loop that was held up may be late, and an attempt is made all the same: its error tells so
                left, attempt = max(deadline - loop.time(), _SOON), attempt + 1

    async def call_once(self, request: Request, decode: Callable[[bytes], T], *, turn: Turn | None = None) -> T:
        """Return the decoded answer of a single attempt: for polls, whose next is their retry.

        A `turn` that is given is used. After a 401 it is sent again with another secret key, where there is one.
        """
        self.counts.polls += 1
        transport, within, kind = self._transport, self.options.timeout, Kind.POLL
        observation = self._observer.observe(request, poll=True)
        with observation or _NOTHING:
            seen = transport.key.generation
            self._begin_attempt(observation)
            try:
                answer = await transport.send(
                    request, within=within, turn=turn, kind=kind, observation=observation
                )
                return self._value(request, answer, decode, observation)
            except AuthenticationError as refusal:
                await self._renew_for_poll(request, refusal, seen, observation)
            self._begin_attempt(observation)
            answer = await transport.send(request, within=within, kind=kind, observation=observation)
            return self._value(request, answer, decode, observation)

    async def read_once(self, request: Request, sink: Sink, *, turn: Turn | None = None) -> None:
        """Hand the body of a success to `sink` as it arrives, in a single attempt: a poll as well."""
        transport, within = self._transport, self.options.timeout
        self.counts.polls += 1
        observation = self._observer.observe(request, poll=True)
        with observation or _NOTHING:
            seen = transport.key.generation
            self._begin_attempt(observation)
            try:
                answer = await transport.pour(request, sink, within=within, turn=turn, observation=observation)
                self._end_reading(request, sink, answer, observation)
            except AuthenticationError as refusal:
                await self._renew_for_poll(request, refusal, seen, observation)
            else:
                return
            self._begin_attempt(observation)
            answer = await transport.pour(request, sink, within=within, observation=observation)
            self._end_reading(request, sink, answer, observation)

    async def answer_once(self, request: Request) -> Answer:
        """Return what came to a single attempt as it came, whatever its status."""
        self.counts.calls += 1
        observation = self._observer.observe(request)
        with observation or _NOTHING:
            self._begin_attempt(observation)
            answer = await self._transport.send(request, within=self.options.timeout, observation=observation)
            if observation is not None:
                observation.answer = answer
            return answer

    async def aclose(self) -> None:
        """Close every connection and refuse further calls; a second time does nothing."""
        self._door.is_closed = True
        await self._transport.aclose()

    def reopen(self) -> None:
        """Take calls again after `aclose`."""
        self._door.is_closed = False

    def _pause(self, request: Request, error: RequestError, pauses: Iterator[float], left: float) -> float:
        """Return the seconds to wait for before another attempt; raise where there must be none."""
        pause = self._retry.pause(request, error, pauses)
        if pause is None or pause >= left:
            if not request.repeatable and may_have_been_carried_out(error):
                raise OutcomeUnknownError(error) from error
            raise error
        if not isinstance(error, RateLimitedError) and not self.budget.spend():  # a 429 slows all down by itself
            error.add_note(_SPENT)
            raise error
        return pause

    def _begin_attempt(self, observation: Observation | None) -> None:
        if self._door.is_closed:
            raise ClientClosedError
        if observation is not None:
            observation.begins()

    def _end_reading(self, request: Request, sink: Sink, answer: Answer, observation: Observation | None) -> None:
        if observation is not None:
            observation.answer = answer
        if answer.status != NOT_MODIFIED or sink.if_none_match is None:
            body_of(request, answer, answer.sends)
        self.budget.earn()

    async def _renew_for_poll(
        self, request: Request, refusal: AuthenticationError, seen: int, observation: Observation | None
    ) -> None:
        """Get another secret key, with which to ask once more; raise the refusal where there is none."""
        if not await self._renews_key(request, refusal, seen, self.options.timeout):
            raise refusal
        self._tell_of_retry(request, refusal, 0.0, observation)

    async def _renews_key(self, request: Request, error: RequestError, seen: int, within: float) -> bool:
        """Ask for the secret key after a 401; tell whether there is another."""
        if not isinstance(error, AuthenticationError):
            return False
        try:
            return await self._transport.key.renew(request, seen=seen, within=within)
        except SecretKeyError as failure:
            failure.attempts = error.attempts
            raise

    def _tell_of_retry(
        self, request: Request, error: RequestError, pause: float, observation: Observation | None
    ) -> None:
        self.counts.retries += 1
        path, what = request.path.partition("?")[0], kind_of(error)
        logger.info("%s %s: %s (attempt %d), again in %.2f s", request.method, path, what, error.attempts, pause)
        if observation is not None:
            observation.ends(error, retry_in=pause)

    def _value(
        self, request: Request, answer: Answer, decode: Callable[[bytes], T], observation: Observation | None
    ) -> T:
        if observation is not None:
            observation.answer = answer
        body = body_of(request, answer, answer.sends)
        self.budget.earn()
        try:
            return decode(body)
        except UNREADABLE as refusal:
            told = self._transport.key.hidden(str(refusal))
            raise InvalidAnswerError(
                f"the answer is not what the API promises: {told}",
                method=request.method,
                path=request.path,
                attempts=answer.sends,
                body=body,
            ) from None
