"""Asking, by GET alone, and keeping what came with each answer."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.config import MAX_RESPONSE_BYTES
from nexus_async.doctor.anonymous import word
from nexus_async.errors import ConnectError, RequestError, StatusError
from nexus_async.http.protocol import body_of, get, path_of
from nexus_async.http.retry import PASSING_STATUS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nexus_async.http.protocol import Answer, Request
    from nexus_async.http.requester import Requester

TRIES: Final = 3
PAUSE: Final = 1.0
"""Seconds between two tries; `Retry-After` where it asks for more."""
LONGEST_PAUSE: Final = 30.0
PASSING: Final = PASSING_STATUS | {HTTPStatus.TOO_MANY_REQUESTS}
"""The statuses that may pass."""

_WHERE = re.compile(r"(?<=host )\S+|\('[^)]*\)|'[^']*'|(?<=endpoint: \d{3} ).*")
"""What in a sentence of the system names a host or an address, or may be anything: a proxy's own words."""


class Sample(msgspec.Struct, frozen=True):
    """Keep what one answer tells beside its body."""

    route: str
    """The path, with names in place of IDs."""
    status: int
    headers: Mapping[str, str]
    sent_at: float
    """Seconds since the Unix epoch by the client's clock."""
    seconds: float
    """From asking to the last byte; the throttle's wait is part of it."""
    size: int
    """Bytes of the body, inflated."""


class Look:
    """Keep the head of an answer as a poll of a log sees it, and let its body go."""

    def __init__(self, if_none_match: str | None) -> None:
        self.if_none_match = if_none_match
        """The validator to ask with; None asks for the body."""
        self.etag: str | None = None
        """The validator that came."""
        self.coding = "identity"
        """How the body is coded."""
        self.left_out = False
        """Whether the body was left out, by a 304."""

    def begin(
        self,
        *,
        etag: str | None,
        coding: str,
        left_out: bool,
        length: int | None,  # noqa: ARG002 - as a transport calls it
        limit: int = MAX_RESPONSE_BYTES,  # noqa: ARG002 - as a transport calls it
    ) -> None:
        """Take the head in."""
        self.etag, self.coding, self.left_out = etag, coding, left_out

    def feed(self, chunk: bytes) -> None:
        """Let a chunk go."""


class Wire:
    """Ask Nexus for what stands at a route, such as `/projects/{project}/runs`, and remember every answer."""

    def __init__(self, requester: Requester, endpoint: str, *, clock: Callable[[], float]) -> None:
        self._requester = requester
        self._endpoint = endpoint
        self._clock = clock
        self.samples: list[Sample] = []
        """What came, in order; a request without an answer leaves none."""
        self.sent = 0
        """Requests, those without an answer too."""

    async def get(self, route: str, *ids: str) -> bytes:
        """Return the body of a success, tried three times; raise the `RequestError` of the last try."""
        request = get(_path(route, ids))
        for attempt in range(1, TRIES + 1):
            try:
                return body_of(request, await self._sampled(route, request), attempt)
            except RequestError as error:
                error.attempts = attempt
                pause = _pause(error)
                if pause is None or attempt == TRIES:
                    raise
            await asyncio.sleep(pause)
        raise AssertionError("a loop that returns or raises")

    async def get_once(self, route: str, *ids: str) -> bytes:
        """Return the body of a success, tried once: for what is timed."""
        request = get(_path(route, ids))
        return body_of(request, await self._sampled(route, request))

    async def look(self, route: str, *ids: str, if_none_match: str | None) -> Look:
        """Ask as a poll of a log does, once, and return the head of what came."""
        self.sent += 1
        look = Look(if_none_match)
        await self._requester.read_once(get(_path(route, ids)), look)
        return look

    def told(self, error: RequestError, route: str) -> str:
        """Say what failed, without the IDs and the sentence that came: both may name what is private."""
        tries = f" ({error.attempts} tries)" if error.attempts > 1 else ""
        return f"GET {route}: {self._reason(error)}{tries}"

    def _reason(self, error: RequestError) -> str:
        if isinstance(error, StatusError):
            return " ".join([str(error.status), *([word(error.code)] if error.code else [])])
        if isinstance(error, ConnectError):
            return _WHERE.sub("...", error.what.replace(self._endpoint, "the endpoint"))
        return {
            "SecretKeyError": "the function for the secret key gave none",
            "ConnectionLostError": "the connection broke",
            "RequestTimeoutError": "no whole answer in time",
        }.get(type(error).__name__, f"the answer is unusable ({type(error).__name__})")

    async def _sampled(self, route: str, request: Request) -> Answer:
        self.sent += 1
        loop = asyncio.get_running_loop()
        at, begun = self._clock(), loop.time()
        answer = await self._requester.answer_once(request)
        self.samples.append(
            Sample(route, answer.status, answer.headers, at, loop.time() - begun, len(answer.body))
        )
        return answer

    @property
    def was_refused(self) -> bool:
        """Tell whether the key was refused, and nothing was answered with it."""
        refusals = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
        statuses = {sample.status for sample in self.samples}
        return bool(statuses & refusals) and not any(HTTPStatus(200) <= status < 300 for status in statuses)  # noqa: PLR2004 - RFC 9110, section 15.3


def _path(route: str, ids: tuple[str, ...]) -> str:
    names = iter(ids)
    return path_of(*(next(names) if part.startswith("{") else part for part in route.strip("/").split("/")))


def _pause(error: RequestError) -> float | None:
    """Return the seconds until another try, None where that would tell nothing new."""
    if not isinstance(error, StatusError):
        return PAUSE
    asked = error.retry_after or 0.0
    return max(PAUSE, asked) if error.status in PASSING and asked <= LONGEST_PAUSE else None
