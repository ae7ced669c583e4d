"""Faults that answer in the API's place, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from email.utils import formatdate
from typing import TYPE_CHECKING, ClassVar

from aiohttp import web

from nexus_async.local.answers import refuse
from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.behaviour import Order

if TYPE_CHECKING:
    from nexus_async.local.clock import ServerClock
    from nexus_async.local.faults.behaviour import Exchange, Handler

RetryAfter = float | str | timedelta
"""Seconds, text as it stands, or how far in the future the date lies."""

_PAGE = """<!DOCTYPE html>
<html><head><title>nexus.example | {status}: {reason}</title></head>
<body><h1>{reason} <span>Error code {status}</span></h1><p>The web server reported an error.</p></body></html>
"""
_REASONS = {
    502: "Bad gateway",
    503: "Service unavailable",
    504: "Gateway time-out",
    520: "Web server is returning an unknown error",
    521: "Web server is down",
    522: "Connection timed out",
    523: "Origin is unreachable",
    524: "A timeout occurred",
}


@dataclass(frozen=True)
class Refuse:
    """Refuse with a status."""

    order: ClassVar = Order.INSTEAD
    status: int
    retry_after: RetryAfter | None = None
    carried_out: bool = False

    def __post_init__(self) -> None:
        _check_status(self.status)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        if self.carried_out:
            await handler(exchange.request)
        answer = refuse(self.status, "A fault of the local server, asked for.")
        if self.retry_after is not None:
            answer.headers["Retry-After"] = _written(self.retry_after, exchange.clock)
        return answer


@dataclass(frozen=True)
class Page:
    """Answer with the HTML page of a proxy."""

    order: ClassVar = Order.INSTEAD
    status: int
    carried_out: bool = False

    def __post_init__(self) -> None:
        _check_status(self.status)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        if self.carried_out:
            await handler(exchange.request)
        page = _PAGE.format(status=self.status, reason=_REASONS.get(self.status, "Error"))
        return web.Response(text=page, status=self.status, content_type="text/html")


@dataclass(frozen=True)
class Blackhole:
    """Never answer."""

    order: ClassVar = Order.INSTEAD
    carried_out: bool = False

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        if self.carried_out:
            await handler(exchange.request)
        await exchange.wait_until_left()
        exchange.hang_up()
        return web.Response()


@dataclass(frozen=True)
class Redirect:
    """Send the client elsewhere."""

    order: ClassVar = Order.INSTEAD
    to: str | None = None
    status: int = 302

    def __post_init__(self) -> None:
        if not 300 <= self.status <= 399:  # noqa: PLR2004 - RFC 9110, section 15.4
            raise InvalidArgumentError(f"status={self.status} is no redirect: give one from 300 to 399")
        if self.to is not None and "://" not in self.to:
            raise InvalidArgumentError(
                f"to={self.to!r} is no origin: give one such as 'https://elsewhere.example', or None for this one"
            )

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:  # noqa: ARG002 - not asked
        path = exchange.request.path_qs
        location = f"/moved{path}" if self.to is None else self.to.rstrip("/") + path
        return web.Response(status=self.status, headers={"Location": location})


def _check_status(status: int) -> None:
    if not 400 <= status <= 599:  # noqa: PLR2004 - RFC 9110, sections 15.5 and 15.6
        raise InvalidArgumentError(f"status={status} is no error: give one from 400 to 599")


def _written(retry_after: RetryAfter, clock: ServerClock) -> str:
    """Write a `Retry-After` (RFC 9110, section 10.2.3)."""
    if isinstance(retry_after, timedelta):
        return formatdate(clock.now() // 1000 + retry_after.total_seconds(), usegmt=True)
    return str(retry_after)
