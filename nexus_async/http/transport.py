"""Carrying a request over aiohttp: the only file that knows aiohttp."""

from __future__ import annotations

import asyncio
import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from nexus_async.errors import (
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    RequestError,
    RequestTimeoutError,
)
from nexus_async.http.protocol import Answer, retry_after

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from nexus_async.http.attempts import Observation
    from nexus_async.http.protocol import Request
    from nexus_async.http.throttle import Throttle, Turn

_CONNECT_SHARE = 0.9
"""Share of a timeout after which waiting for a turn or a connection ends: sooner than the whole, so that it
can be told apart. A request that never had a connection was not sent."""

_LONGEST_REFUSAL = 64 * 1024
"""Bytes of a compressed refusal that are inflated."""

_READ_BUFFER = 1 << 20
"""Bytes; a third less CPU for long bodies than aiohttp's 64 KiB, measured."""


class Sink(Protocol):
    """Take the body of an answer in as it arrives."""

    if_none_match: str | None
    """The validator to ask with, so that an unchanged body is left out; None asks for the body."""

    def begin(self, *, etag: str | None, coding: str, left_out: bool, length: int | None) -> None:
        """Take the answer's validator, its coding, whether the body is left out, and its length where it is told.

        What is raised here or in `feed` ends the request, and is passed on.
        """

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes, as they are coded."""


class Transport(Protocol):
    """Carry one request, once."""

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""

    async def send(
        self,
        request: Request,
        *,
        within: float,
        sink: Sink | None = None,
        turn: Turn | None = None,
        poll: bool = False,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        With `sink`, the body of a 200 is handed to it as it arrives, and the answer's is empty. `turn` is used
        and ended; without it one is waited for, within the same seconds, but by a `poll` behind users' own calls
        and for as long as it takes. An `observation` is told when the request is sent.
        """

    async def aclose(self) -> None:
        """Close every connection; a second time does nothing."""


class AiohttpTransport:
    """Carry requests over one aiohttp session, opened at first use in the loop that uses it."""

    def __init__(
        self,
        endpoint: str,
        *,
        headers: Mapping[str, str],
        connect_timeout: float,
        read_timeout: float,
        throttle: Throttle,
        ssl_context: ssl.SSLContext | None = None,
        session: aiohttp.ClientSession | None = None,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._headers = CIMultiDict(headers)
        self._json_headers = CIMultiDict({**headers, "Content-Type": "application/json"})
        self._sink_headers = CIMultiDict(self._json_headers)
        self._sink_headers["Accept-Encoding"] = "gzip"  # what a sink inflates by itself
        self._connect_timeout = connect_timeout
        self._read_timeout = read_timeout
        self.throttle = throttle
        self._ssl = True if ssl_context is None else ssl_context
        self._session = session
        self._owns_session = session is None
        self._connector = connector or self._tcp_connector
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timeouts: dict[bool, aiohttp.ClientTimeout] = {}

    async def send(
        self,
        request: Request,
        *,
        within: float,
        sink: Sink | None = None,
        turn: Turn | None = None,
        poll: bool = False,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        With `sink`, the body of a 200 is handed to it as it arrives, and the answer's is empty. `turn` is used
        and ended; without it one is waited for, within the same seconds, but by a `poll` behind users' own calls
        and for as long as it takes. An `observation` is told when the request is sent.
        """
        session = self._open_session()
        turn = turn or self.throttle.turn_now(poll=poll)
        if turn is None and poll:  # however long: to wait for the budget is no failure of the API
            turn = await self.throttle.turn(poll=True)
        elif turn is None:
            turn, within = await self._wait_for_turn(request, within)
        if observation is not None:
            observation.sends(turn)
        try:
            async with session.request(
                request.method,
                URL(self._endpoint + request.path, encoded=True),
                data=request.body,
                headers=self._headers_of(request, sink),
                timeout=self._timeout(within, poll=sink is not None),
                allow_redirects=False,
                auto_decompress=sink is None,
                raise_for_status=False,
                ssl=self._ssl,
            ) as response:
                body = await (_read(response, turn) if sink is None else _pour(response, sink, turn))
                if response.status == HTTPStatus.TOO_MANY_REQUESTS:
                    self.throttle.slow_down(retry_after(response.headers))
                return Answer(response.status, response.headers, self._without_key(response.status, body))
        except (aiohttp.ClientError, OSError, RuntimeError) as failure:  # TimeoutError is an OSError
            error = self._error_of(request, failure, within)
        finally:
            turn.end()
        raise error  # outside of the except clause: aiohttp's errors hold the headers, and so the key

    async def _wait_for_turn(self, request: Request, within: float) -> tuple[Turn, float]:
        """Wait until the throttle gives a turn; return it and the seconds that are left."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            async with asyncio.timeout(within * _CONNECT_SHARE):
                turn = await self.throttle.turn()
        except TimeoutError:
            what = f"the throttle let nothing through within {within * _CONNECT_SHARE:.3g} s, so nothing was sent"
            raise ConnectError(what, method=request.method, path=request.path) from None
        return turn, within - (loop.time() - begun)

    def _without_key(self, status: int, body: bytes) -> bytes:
        """Take the secret key out of a refusal that repeats it: errors tell what was said."""
        key = self._headers.get("Secret-Key", "").encode()
        return body.replace(key, b"[secret key]") if key and status >= HTTPStatus.MULTIPLE_CHOICES else body

    def _headers_of(self, request: Request, sink: Sink | None) -> CIMultiDict[str]:
        if sink is None:
            return self._headers if request.method == "DELETE" and request.body is None else self._json_headers
        if sink.if_none_match is None:
            return self._sink_headers
        headers = self._sink_headers.copy()
        headers["If-None-Match"] = sink.if_none_match
        return headers

    async def aclose(self) -> None:
        """Close every connection; an injected session is left open."""
        session, self._session = (self._session, None) if self._owns_session else (None, self._session)
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            if self._owns_session:
                self._session = None
        if self._session is None or (self._owns_session and self._session.closed):
            self._session = aiohttp.ClientSession(
                connector=self._connector(),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=_READ_BUFFER,
            )
        return self._session

    def _tcp_connector(self) -> aiohttp.BaseConnector:
        return aiohttp.TCPConnector(limit=0)  # bounded by the throttle, whatever the connector

    def _timeout(self, seconds: float, *, poll: bool) -> aiohttp.ClientTimeout:
        """Return the timeout of one attempt; nearly every attempt is a first one, and has the same.

        A poll is bounded as a whole alone: what watches each silence costs a tenth of it.
        """
        last = self._timeouts.get(poll)
        if last is not None and last.total == seconds:
            return last
        until_connected = seconds * _CONNECT_SHARE
        self._timeouts[poll] = aiohttp.ClientTimeout(
            total=seconds,
            connect=None if poll else until_connected,
            sock_connect=min(self._connect_timeout, until_connected),
            sock_read=None if poll else self._read_timeout,
        )
        return self._timeouts[poll]

    def _error_of(self, request: Request, failure: Exception, within: float) -> Exception:
        """Map what aiohttp and the system raise to this package's errors, by what may have been sent."""
        if isinstance(failure, RuntimeError):
            return ClientClosedError() if str(failure) == "Session is closed" else failure
        kind, what = self._kind_of(failure, within)
        return kind(" ".join(what.split()), method=request.method, path=request.path)

    def _kind_of(self, failure: Exception, within: float) -> tuple[type[RequestError], str]:
        match failure:
            case aiohttp.ConnectionTimeoutError():
                return ConnectError, f"no connection to {self._endpoint} stood in time"
            case (
                aiohttp.ClientConnectorError() | aiohttp.ClientConnectorCertificateError() | aiohttp.InvalidURL()
            ):
                return ConnectError, f"no connection to {self._endpoint}: {failure}"
            case aiohttp.ServerTimeoutError():
                return RequestTimeoutError, f"not a byte for {self._read_timeout:g} s"
            case TimeoutError():
                return RequestTimeoutError, f"no whole answer within {within:.3g} s"
            case aiohttp.ClientResponseError():
                return InvalidAnswerError, f"the answer is not HTTP: {failure.message}"
            case _:
                return ConnectionLostError, f"the connection broke: {str(failure) or type(failure).__name__}"


async def _read(response: aiohttp.ClientResponse, turn: Turn) -> bytes:
    body = await response.read()
    turn.received += len(body)
    return body


async def _pour(response: aiohttp.ClientResponse, sink: Sink, turn: Turn) -> bytes:
    """Hand the body to the sink; return that of a refusal, which is not for it."""
    left_out = response.status == HTTPStatus.NOT_MODIFIED
    if response.status != HTTPStatus.OK and not left_out:
        return _inflated(await _read(response, turn))
    coding = response.headers.get("Content-Encoding", "identity").lower()
    etag, length = response.headers.get("ETag"), response.content_length
    sink.begin(etag=etag, coding=coding, left_out=left_out, length=length)
    async for chunk in response.content.iter_any():
        turn.received += len(chunk)
        sink.feed(chunk)
    return b""


def _inflated(body: bytes) -> bytes:
    """Return a refusal's body as text, where it came compressed; as it is where it does not inflate."""
    unpacking = zlib.decompressobj(32 + zlib.MAX_WBITS)  # gzip or deflate, as its head says
    try:
        return unpacking.decompress(body, _LONGEST_REFUSAL)
    except zlib.error:
        return body
