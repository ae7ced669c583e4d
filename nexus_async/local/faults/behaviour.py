"""What a fault does to a request: it stands around the handler, and decides whether and how that answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from aiohttp import web

if TYPE_CHECKING:
    from nexus_async.local.clock import ServerClock

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

SKEW = web.RequestKey("skew", float)
"""Seconds by which the answer's `Date` is wrong."""

_LOOK = 1.0
"""Seconds between two looks at whether somebody still waits: the server is not told when a client leaves."""


class Order(IntEnum):
    """Say where a fault stands when several befall one request: each around those before it."""

    BODY = 0
    VALIDATOR = 1
    INSTEAD = 2
    DELIVERY = 3
    DELAY = 4


@dataclass(frozen=True, slots=True)
class Exchange:
    """Hold a request, and what a fault may wait for."""

    request: web.Request
    clock: ServerClock
    closing: asyncio.Event
    """Set when the server closes: nothing waits any longer."""

    async def pause(self, seconds: float) -> None:
        """Wait for some seconds, or until the server closes."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self.closing.wait(), seconds)

    async def wait_until_left(self) -> None:
        """Wait until the client has left, or the server closes."""
        while self.request.transport is not None and not self.closing.is_set():
            await self.pause(_LOOK)

    def hang_up(self) -> None:
        """Close the connection, after what was written."""
        if self.request.transport is not None:
            self.request.transport.close()


class Behaviour(Protocol):
    """Do something to a request."""

    order: ClassVar[Order]

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        """Answer; `handler` carries the request out, and gives the answer that is due."""


async def whole(exchange: Exchange, handler: Handler) -> tuple[web.StreamResponse, bytes | None]:
    """Return the answer that is due, and its body; None where it is on its way already."""
    answer = await handler(exchange.request)
    if answer.prepared or not isinstance(answer, web.Response):
        return answer, None
    return answer, answer.body if isinstance(answer.body, bytes) else b""
