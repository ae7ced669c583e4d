"""What each request passes: the key, the errors, the headers."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from aiohttp import web

from nexus_async.local.answers import RefusalError, refuse

if TYPE_CHECKING:
    from nexus_async.local.clock import ServerClock
    from nexus_async.local.identifiers import Identifiers

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
logger = logging.getLogger("nexus_async.local")


class Gate:
    """Let in requests that have the secret key, or a client certificate that TLS has verified."""

    def __init__(self, secret_key: str, clock: ServerClock, identifiers: Identifiers) -> None:
        self._secret_key = secret_key.encode()
        self._clock = clock
        self._identifiers = identifiers

    def attach(self, app: web.Application) -> None:
        """Put the gate before all routes of `app`, those that do not exist included."""

        @web.middleware
        async def gate(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        app.middlewares.append(gate)
        app.on_response_prepare.append(self._stamp)

    async def _pass(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        if not self._is_known(request):
            return refuse(401, "The Secret-Key header is missing or wrong.")
        try:
            return await handler(request)
        except RefusalError as refusal:
            return refusal.answer()
        except web.HTTPException as error:
            return _translate(request, error)
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            return refuse(500, "The local server failed; its log on nexus_async.local tells why.")

    def _is_known(self, request: web.Request) -> bool:
        given = request.headers.get("Secret-Key")
        if given is None:
            return bool(request.get_extra_info("peercert"))
        return hmac.compare_digest(given.encode(errors="surrogateescape"), self._secret_key)

    async def _stamp(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["X-Request-Id"] = self._identifiers.request()
        # of the server's clock, so that a Date and a log's times agree under virtual time as well
        response.headers["Date"] = self._clock.http_date()


def _translate(request: web.Request, error: web.HTTPException) -> web.Response:
    what = f"{request.method} {request.path}"
    messages = {404: f"There is no route {what}.", 405: f"Method not allowed: {what}."}
    answer = refuse(error.status, messages.get(error.status, f"{error.reason}: {what}."))
    if "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    return answer
