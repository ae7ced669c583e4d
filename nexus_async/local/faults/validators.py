"""Entity tags: a true one, which saves bodies, and one that lies."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, ClassVar

from aiohttp import web

from nexus_async.local.faults.behaviour import Order, whole

if TYPE_CHECKING:
    from nexus_async.local.faults.behaviour import Exchange, Handler

_UNCHANGING = '"unchanging"'


@dataclass(frozen=True)
class Etag:
    """Send an `ETag`, and a 304 without a body to who has it (RFC 9110, section 13.1.2)."""

    order: ClassVar = Order.VALIDATOR
    lies: bool = False

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = await whole(exchange, handler)
        if body is None or answer.status != HTTPStatus.OK:
            return answer
        tag = _UNCHANGING if self.lies else f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        if tag in exchange.request.headers.get("If-None-Match", ""):
            answer = web.Response(status=HTTPStatus.NOT_MODIFIED)
        answer.headers["ETag"] = tag
        return answer
