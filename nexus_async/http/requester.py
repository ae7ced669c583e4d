"""One call from its request to its value: attempts, pauses, and one timeout over it all."""

from __future__ import annotations

import asyncio
import logging
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from nexus_async.errors import ClientClosedError, InvalidAnswerError, OutcomeUnknownError, RequestError
from nexus_async.http.attempts import Observer
from nexus_async.http.protocol import UNREADABLE, body_of
from nexus_async.http.retry import may_have_been_carried_out
from nexus_async.http.stats import Counts
from nexus_async.loggers import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.http.attempts import Observation
    from nexus_async.http.protocol import Answer, Request
    from nexus_async.http.retry import RetryPolicy
    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.http.transport import Sink, Transport

T = TypeVar("T")
_NOTHING: Final = nullcontext()
_SOON = 0.001
"""Seconds for an attempt that is made although the time is up, so that its error tells so."""
logger = logging.getLogger("nexus_async.http")


class Requester:
    """Make calls over a transport, again where that is safe."""

    def __init__(
        self, transport: Transport, *, retry: RetryPolicy, timeout: float, observer: Observer | None = None
    ) -> None:
        self._transport = transport
        self._retry = retry
        self._timeout = timeout
        self._observer = observer or Observer()
        self.counts = Counts()
        """What was done so far."""
        self._closed = False

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""
        return self._transport.throttle

    async def call(self, request: Request, decode: Callable[[bytes], T]) -> T:
        """Return the decoded answer; repeat what is safe to repeat while `timeout` lasts.

        Raises the `RequestError` of the last attempt, `OutcomeUnknownError` where the request may have been
        carried out and must not be sent again.
        """
        self.counts.calls += 1
        observation = self._observer.observe(request)
        with observation or _NOTHING:
            return await self._repeat(request, decode, observation)

    async def call_once(self, request: Request, decode: Callable[[bytes], T], *, turn: Turn | None = None) -> T:
        """Return the decoded answer of a single attempt: for polls, whose next is their retry.

        A `turn` that is given is used.
        """
        self.counts.polls += 1
        observation = self._observer.observe(request, poll=True)
        with observation or _NOTHING:
            return await self._attempt(
                request, decode, self._timeout, 1, turn=turn, poll=True, observation=observation
            )

    async def read_once(self, request: Request, sink: Sink, *, turn: Turn | None = None) -> None:
        """Hand the body of a success to `sink` as it arrives, in a single attempt: a poll as well."""
        self.counts.polls += 1
        observation = self._observer.observe(request, poll=True)
        with observation or _NOTHING:
            answer = await self._read(request, sink, turn, observation)
            if answer.status != HTTPStatus.NOT_MODIFIED or sink.if_none_match is None:
                body_of(request, answer)

    async def answer_once(self, request: Request) -> Answer:
        """Return what came to a single attempt as it came, whatever its status."""
        self.counts.calls += 1
        observation = self._observer.observe(request)
        with observation or _NOTHING:
            return await self._send(request, self._timeout, 1, observation=observation)

    async def aclose(self) -> None:
        """Close every connection and refuse further calls; a second time does nothing."""
        self._closed = True
        await self._transport.aclose()

    def reopen(self) -> None:
        """Take calls again after `aclose`."""
        self._closed = False

    async def _repeat(self, request: Request, decode: Callable[[bytes], T], observation: Observation | None) -> T:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout
        left, attempt, pauses = self._timeout, 1, None
        while True:
            try:
                return await self._attempt(request, decode, left, attempt, observation=observation)
            except RequestError as error:
                pauses = pauses or self._retry.pauses()
                pause = self._retry.pause(request, error, pauses)
                if pause is None or loop.time() + pause >= deadline:
                    if not request.repeatable and may_have_been_carried_out(error):
                        raise OutcomeUnknownError(error) from error
                    raise
                self._tell_of_retry(request, error, pause, observation)
            await asyncio.sleep(pause)
            # a loop that was held up may be late: aiohttp takes a timeout of 0 for none at all
            left, attempt = max(deadline - loop.time(), _SOON), attempt + 1

    def _tell_of_retry(
        self, request: Request, error: RequestError, pause: float, observation: Observation | None
    ) -> None:
        self.counts.retries += 1
        path, what = request.path.partition("?")[0], kind_of(error)
        logger.info("%s %s: %s (attempt %d), again in %.2f s", request.method, path, what, error.attempts, pause)
        if observation is not None:
            observation.ends(error, retry_in=pause)

    async def _attempt(
        self,
        request: Request,
        decode: Callable[[bytes], T],
        left: float,
        attempt: int,
        *,
        turn: Turn | None = None,
        poll: bool = False,
        observation: Observation | None = None,
    ) -> T:
        answer = await self._send(request, left, attempt, turn=turn, poll=poll, observation=observation)
        body = body_of(request, answer, attempt)
        try:
            return decode(body)
        except UNREADABLE as refusal:
            raise InvalidAnswerError(
                f"the answer is not what the API promises: {refusal}",
                method=request.method,
                path=request.path,
                attempts=attempt,
                body=body,
            ) from None

    async def _send(
        self,
        request: Request,
        left: float,
        attempt: int,
        *,
        turn: Turn | None = None,
        poll: bool = False,
        observation: Observation | None = None,
    ) -> Answer:
        self._check_open()
        if observation is not None:
            observation.begins(attempt)
        try:
            answer = await self._transport.send(
                request, within=left, turn=turn, poll=poll, observation=observation
            )
        except RequestError as error:
            error.attempts = attempt
            raise
        if observation is not None:
            observation.answer = answer
        return answer

    async def _read(
        self, request: Request, sink: Sink, turn: Turn | None, observation: Observation | None
    ) -> Answer:
        self._check_open()
        if observation is not None:
            observation.begins(1)
        try:
            answer = await self._transport.send(
                request, within=self._timeout, sink=sink, turn=turn, poll=True, observation=observation
            )
        except msgspec.DecodeError as refusal:
            raise InvalidAnswerError(str(refusal), method=request.method, path=request.path) from None
        if observation is not None:
            observation.answer = answer
        return answer

    def _check_open(self) -> None:
        if self._closed:
            raise ClientClosedError
