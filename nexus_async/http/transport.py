"""Carrying a request over aiohttp, once."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
from multidict import CIMultiDict

from nexus_async.config import MAX_RESPONSE_BYTES
from nexus_async.errors import ClientClosedError, ConnectError, RequestError
from nexus_async.http.bodies import pour_body, read_body
from nexus_async.http.failures import FOREIGN, is_cancelled, meaning_of
from nexus_async.http.protocol import Answer, retry_after
from nexus_async.http.sending import Counted, send_once
from nexus_async.http.waiting import Kind

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping
    from typing import Self

    from nexus_async.http.attempts import Observation
    from nexus_async.http.key import SecretKey
    from nexus_async.http.options import Options
    from nexus_async.http.pool import Pool
    from nexus_async.http.protocol import Request
    from nexus_async.http.server_time import ServerTime
    from nexus_async.http.throttle import Throttle, Turn

_CONNECT_SHARE: Final = 0.9
"""Share of a timeout after which waiting for a key, a turn or a connection ends: sooner than the whole, so that
it can be told apart. A request that never had a connection was not sent."""

_CALL_BUFFER: Final = 1 << 18
"""Bytes that are inflated at a time and held until they are read: little enough for a bomb to be known in
time."""

_ONCE: Final = (send_once,)


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
        sink: Sink | None = None,
        turn: Turn | None = None,
        kind: Kind = Kind.CALL,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        With `sink`, the body of a 200 is handed to it as it arrives, and the answer's is empty. `turn` is used
        and ended; without it one is waited for, by a call within the same seconds, by all else for as long as it
        takes. An `observation` is told when the request is sent.
        """

    def with_options(self, options: Options) -> Self:
        """Return one that shares all else with this one."""

    async def aclose(self) -> None:
        """Close every connection; a second time does nothing."""


class AiohttpTransport:
    """Carry requests over the session of a pool."""

    def __init__(
        self,
        pool: Pool,
        *,
        key: SecretKey,
        options: Options,
        throttle: Throttle,
        server_time: ServerTime,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = pool
        self.key = key
        self._options = options
        self.throttle = throttle
        self.server_time = server_time
        self._ssl_context = ssl_context
        self._timeouts: dict[Kind, aiohttp.ClientTimeout] = {}

    def with_options(self, options: Options) -> AiohttpTransport:
        """Return one that shares all else with this one."""
        return AiohttpTransport(
            self._pool,
            key=self.key,
            options=options,
            throttle=self.throttle,
            server_time=self.server_time,
            ssl_context=self._ssl_context,
        )

    async def aclose(self) -> None:
        """Close every connection; an injected session is left open."""
        await self._pool.aclose()

    async def send(
        self,
        request: Request,
        *,
        within: float,
        sink: Sink | None = None,
        turn: Turn | None = None,
        kind: Kind = Kind.CALL,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        With `sink`, the body of a 200 is handed to it as it arrives, and the answer's is empty. `turn` is used
        and ended; without it one is waited for, by a call within the same seconds, by all else for as long as it
        takes. An `observation` is told when the request is sent.
        """
        counted: Counted | None = None
        session: aiohttp.ClientSession | None = None
        try:
            session = self._pool.session or await self._pool.open()
            if self.key.is_missing:
                within = await self._ask_for_key(request, within)
            turn = turn or self.throttle.turn_now(kind)
            if turn is None:
                turn, within = await self._wait_for_turn(request, within, kind)
            if observation is not None:
                observation.sends(turn)
            if kind is not Kind.CALL and not self._pool.is_given:
                counted = Counted(turn)
            timeout = self._timeout(within, kind)
            return await self._exchange(session, request, sink, turn, timeout=timeout, counted=counted)
        except FOREIGN as failure:
            error = self._error_of(request, failure, within)
        except asyncio.CancelledError:
            if session is None or not session.closed or is_cancelled():
                raise
            error = ClientClosedError()  # aiohttp cancels who waits for a connection when it closes
        finally:
            if turn is not None:
                turn.end()
        if isinstance(error, RequestError) and counted is not None:
            error.attempts = max(counted.sends, 1)
        raise error  # outside of the except clause: aiohttp's errors hold the headers

    async def _exchange(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        sink: Sink | None,
        turn: Turn,
        *,
        timeout: aiohttp.ClientTimeout,
        counted: Counted | None,
    ) -> Answer:
        async with session.request(
            request.method,
            self._pool.url_of(request.path),
            data=request.body,
            headers=self._headers_of(request, sink),
            timeout=timeout,
            allow_redirects=False,
            auto_decompress=False,
            read_bufsize=_CALL_BUFFER if sink is None else None,
            raise_for_status=False,
            proxy_headers=self._pool.proxy_headers,
            ssl=self._ssl_context or True,
            middlewares=None if self._pool.is_given else _ONCE if counted is None else (counted,),
        ) as response:
            status, limit = response.status, self._options.max_response_bytes
            headers: Mapping[str, str] = response.headers
            self.server_time.note(headers)
            if sink is None:
                body = self.key.hidden_in(await read_body(response, turn, limit))
            else:
                body = self.key.hidden_in(await pour_body(response, sink, turn, limit))
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                self.throttle.slow_down(retry_after(headers))
            if status >= HTTPStatus.MULTIPLE_CHOICES:
                headers = self._without_key(headers)
            return Answer(status, headers, body, 1 if counted is None else counted.sends)

    async def _ask_for_key(self, request: Request, within: float) -> float:
        """Ask for the secret key; return the seconds that are left."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await self.key.ask(request, within=within * _CONNECT_SHARE)
        return within - (loop.time() - begun)

    async def _wait_for_turn(self, request: Request, within: float, kind: Kind) -> tuple[Turn, float]:
        """Wait until the throttle gives a turn; return it and the seconds that are left."""
        if kind is not Kind.CALL:  # however long: to wait for the budget is no failure of the API
            return await self.throttle.turn(kind), within
        loop = asyncio.get_running_loop()
        begun, patience = loop.time(), within * _CONNECT_SHARE
        try:
            async with asyncio.timeout(patience):
                turn = await self.throttle.turn()
        except TimeoutError:
            what = f"the throttle let nothing through within {patience:.3g} s, so nothing was sent"
            raise ConnectError(what, method=request.method, path=request.path) from None
        return turn, within - (loop.time() - begun)

    def _headers_of(self, request: Request, sink: Sink | None) -> CIMultiDict[str]:
        if sink is None:
            return self.key.plain if request.method == "DELETE" and request.body is None else self.key.json
        if sink.if_none_match is None:
            return self.key.log
        headers = self.key.log.copy()
        headers["If-None-Match"] = sink.if_none_match
        return headers

    def _without_key(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return CIMultiDict({name: self.key.hidden(value) for name, value in headers.items()})

    def _timeout(self, seconds: float, kind: Kind) -> aiohttp.ClientTimeout:
        """Return the timeout of one attempt; nearly every attempt is a first one, and has the same.

        What reads a log is bounded as a whole alone: what watches each silence costs a tenth of it.
        """
        last = self._timeouts.get(kind)
        if last is not None and last.total == seconds:
            return last
        until_connected = seconds * _CONNECT_SHARE
        is_log = kind is Kind.LOG
        self._timeouts[kind] = aiohttp.ClientTimeout(
            total=seconds,
            connect=None if is_log else until_connected,
            sock_connect=min(self._options.connect_timeout, until_connected),
            sock_read=None if is_log else self._options.read_timeout,
        )
        return self._timeouts[kind]

    def _error_of(self, request: Request, failure: Exception, within: float) -> Exception:
        meaning = meaning_of(
            failure, endpoint=self._pool.endpoint, read_timeout=self._options.read_timeout, within=within
        )
        if isinstance(meaning, Exception):
            return meaning
        kind, what = meaning
        return kind(self.key.hidden(" ".join(what.split())), method=request.method, path=request.path)
