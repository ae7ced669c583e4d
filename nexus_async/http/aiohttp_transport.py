"""Carrying a request over aiohttp, once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from multidict import CIMultiDict

from nexus_async.errors import ClientClosedError, ConnectError, RequestError
from nexus_async.http.bodies import pour_body, read_body
from nexus_async.http.deadlines import Deadlines
from nexus_async.http.failures import FOREIGN, is_cancelled, meaning_of
from nexus_async.http.protocol import MULTIPLE_CHOICES, TOO_MANY_REQUESTS, Answer, retry_after
from nexus_async.http.sending import Counted, send_once
from nexus_async.http.waiting import CALL, LOG, Kind

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping

    from nexus_async.http.attempts import Observation
    from nexus_async.http.key import SecretKey
    from nexus_async.http.options import Options
    from nexus_async.http.pool import Pool
    from nexus_async.http.protocol import Request
    from nexus_async.http.server_time import ServerTime
    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.http.transport import Sink

_CONNECT_SHARE: Final = 0.9
"""Share of a timeout after which waiting for a key, a turn or a connection ends: sooner than the whole, so that
it can be told apart. A request that never had a connection was not sent."""

_CALL_BUFFER: Final = 1 << 18
"""Bytes that are inflated at a time and held until they are read: little enough for a bomb to be known in
time."""

_ONCE: Final = (send_once,)


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
        self._timeout_of_calls: aiohttp.ClientTimeout | None = None
        self._deadlines = Deadlines()
        # the whole is bounded by a deadline; in reading a log, to watch each silence as well would cost a tenth
        until_connected = options.timeout * _CONNECT_SHARE
        self._timeout_of_logs = aiohttp.ClientTimeout(
            total=None,
            connect=until_connected,
            sock_connect=min(options.connect_timeout, until_connected),
        )

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
        turn: Turn | None = None,
        kind: Kind = CALL,
        observation: Observation | None = None,
    ) -> Answer:
        """Return the answer, whatever its status; raise a `RequestError` where none came `within` seconds.

        `turn` is used and ended; without it one is waited for, by a call within the same seconds, by a poll for
        as long as it takes. An `observation` is told when the request is sent.
        """
        session: aiohttp.ClientSession | None = None
        counted: Counted | None = None
        try:
            session = self._pool.session or await self._pool.open()
            if self.key.is_missing:
                within = await self._ask_for_key(request, within)
            turn = turn or self.throttle.turn_now(kind)
            if turn is None:
                turn, within = await self._wait_for_turn(request, within, kind)
            if observation is not None:
                observation.sends(turn)
            if kind is not CALL and not self._pool.is_given:
                counted = Counted(turn)
            with self._deadlines.within(within):
                async with session.request(
                    request.method,
                    self._pool.url_of(request.path),
                    data=request.body,
                    headers=self._headers_of(request),
                    timeout=self._timeout(within),
                    read_bufsize=_CALL_BUFFER,
                    middlewares=self._middlewares(counted),
                    **self._as_it_is(),
                ) as response:
                    self.server_time.note(response.headers)
                    body = await read_body(response, turn, self._options.max_response_bytes)
                    return self._answer(response, body, counted)
        except (*FOREIGN, asyncio.CancelledError) as failure:
            error = self._error_of(request, failure, within, session=session, counted=counted)
        finally:
            if turn is not None:
                turn.end()
        try:
            raise error  # outside of the except clause: aiohttp's errors hold the headers
        finally:
            del error  # which holds this frame, and with it the answer

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
        session: aiohttp.ClientSession | None = None
        counted: Counted | None = None
        try:
            session = self._pool.session or await self._pool.open()
            if self.key.is_missing:
                within = await self._ask_for_key(request, within)
            turn = turn or self.throttle.turn_now(LOG) or await self.throttle.turn(LOG)
            if observation is not None:
                observation.sends(turn)
            if not self._pool.is_given:
                counted = Counted(turn)
            with self._deadlines.within(within):
                async with session.request(
                    request.method,
                    self._pool.url_of(request.path),
                    headers=self.key.log if sink.if_none_match is None else self._asking_with(sink.if_none_match),
                    timeout=self._timeout_of_logs,
                    middlewares=self._middlewares(counted),
                    **self._as_it_is(),
                ) as response:
                    self.server_time.note(response.headers)
                    body = await pour_body(response, sink, turn, self._options.max_response_bytes)
                    return self._answer(response, body, counted)
        except (*FOREIGN, asyncio.CancelledError) as failure:
            error = self._error_of(request, failure, within, session=session, counted=counted)
        finally:
            if turn is not None:
                turn.end()
        try:
            raise error  # as above
        finally:
            del error

    def _as_it_is(self) -> dict[str, Any]:
        """Return what makes aiohttp hand an answer on as it came."""
        return {
            "allow_redirects": False,
            "auto_decompress": False,
            "raise_for_status": False,
            "proxy_headers": self._pool.proxy_headers,
            "ssl": self._ssl_context or True,
        }

    def _middlewares(self, counted: Counted | None) -> tuple[aiohttp.ClientMiddlewareType, ...] | None:
        """Return what keeps aiohttp from sending a call again, or counts how often it does."""
        if self._pool.is_given:
            return None
        return _ONCE if counted is None else (counted,)

    def _answer(self, response: aiohttp.ClientResponse, body: bytes, counted: Counted | None) -> Answer:
        status: int = response.status
        headers: Mapping[str, str] = response.headers
        if body:
            body = self.key.hidden_in(body)
        if status == TOO_MANY_REQUESTS:
            self.throttle.slow_down(retry_after(headers))
        if status >= MULTIPLE_CHOICES:
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
        if kind is not CALL:  # however long: to wait for the budget is no failure of the API
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

    def _headers_of(self, request: Request) -> CIMultiDict[str]:
        return self.key.plain if request.method == "DELETE" and request.body is None else self.key.json

    def _asking_with(self, if_none_match: str) -> CIMultiDict[str]:
        headers = self.key.log.copy()
        headers["If-None-Match"] = if_none_match
        return headers

    def _without_key(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return CIMultiDict({name: self.key.hidden(value) for name, value in headers.items()})

    def _timeout(self, seconds: float) -> aiohttp.ClientTimeout:
        """Return what bounds the parts of one attempt; nearly every attempt is a first one, and has the same."""
        last, until_connected = self._timeout_of_calls, seconds * _CONNECT_SHARE
        if last is None or last.connect != until_connected:
            last = self._timeout_of_calls = aiohttp.ClientTimeout(
                total=None,
                connect=until_connected,
                sock_connect=min(self._options.connect_timeout, until_connected),
                sock_read=self._options.read_timeout,
            )
        return last

    def _error_of(
        self,
        request: Request,
        failure: BaseException,
        within: float,
        *,
        session: aiohttp.ClientSession | None,
        counted: Counted | None,
    ) -> BaseException:
        if isinstance(failure, asyncio.CancelledError):
            if session is None or not session.closed or is_cancelled():
                return failure
            return ClientClosedError()  # aiohttp cancels who waits for a connection when it closes
        assert isinstance(failure, Exception)
        meaning = meaning_of(
            failure, endpoint=self._pool.endpoint, read_timeout=self._options.read_timeout, within=within
        )
        if isinstance(meaning, tuple):
            kind, what = meaning
            meaning = kind(self.key.hidden(" ".join(what.split())), method=request.method, path=request.path)
        if isinstance(meaning, RequestError) and counted is not None:
            meaning.attempts = max(counted.sends, 1)
        return meaning
