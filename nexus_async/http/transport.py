"""Carrying a request, once: what is asked of whoever does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nexus_async.config import MAX_RESPONSE_BYTES
from nexus_async.http.waiting import Kind

if TYPE_CHECKING:
    from typing import Self

    from nexus_async.http.attempts import Observation
    from nexus_async.http.key import SecretKey
    from nexus_async.http.options import Options
    from nexus_async.http.protocol import Answer, Request
    from nexus_async.http.server_time import ServerTime
    from nexus_async.http.throttle import Throttle, Turn


class Sink(Protocol):
    """Take the body of an answer in as it arrives."""

    if_none_match: str | None
    """The validator to ask with, so that an unchanged body is left out; None asks for the body."""

    def begin(
        self,
        *,
        etag: str | None,
        coding: str,
        left_out: bool,
        length: int | None,
        limit: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Take the answer's validator, its coding, whether the body is left out, and its length where it is told.

        `limit` bounds the bytes to which a compressed body may inflate. What is raised here or in `feed` ends the
        request, and is passed on.
        """

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, as they are coded."""


class Transport(Protocol):
    """Carry one request, once."""

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""

    @property
    def key(self) -> SecretKey:
        """Return what each request carries of the secret key."""

    @property
    def server_time(self) -> ServerTime:
        """Return what is known of the server's clock."""

    async def send(
        self,
        request: Request,
        *,
        within: float,
        turn: Turn | None = None,
        kind: Kind = Kind.CALL,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        `turn` is used and ended; without it one is waited for, by a call within the same seconds, by a poll for
        as long as it takes. An `observation` is told when the request is sent.
        """

    async def pour(
        self,
        request: Request,
        sink: Sink,
        *,
        within: float,
        turn: Turn | None = None,
        observation: Observation | None = None,
    ) -> Answer:
        """Hand the body of a 200 to `sink` as it arrives: that of a log, asked for again and again.

        The answer is returned whatever its status, with a body only where that is not for the sink; all else is
        as for `send`. What the sink raises is passed on, but for a `msgspec.DecodeError`: the answer is invalid.
        """

    def with_options(self, options: Options) -> Self:
        """Return one that shares all else with this one."""

    async def aclose(self) -> None:
        """Close every connection; a second time does nothing."""
