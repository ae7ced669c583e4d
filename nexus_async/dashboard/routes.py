"""What the dashboard answers: the page, its stream of events, and what it asks for beside them."""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from aiohttp import web

from nexus_async.dashboard.guard import JSON_TYPE
from nexus_async.dashboard.page import encoded, page_with, policy
from nexus_async.dashboard.state import message
from nexus_async.errors import InvalidArgumentError, NexusError, StatusError
from nexus_async.streaming.hub.message import HEARTBEAT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp_sse import EventSourceResponse

    from nexus_async.dashboard.guard import Guard
    from nexus_async.dashboard.lookup import Lookup
    from nexus_async.dashboard.state import State

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

GATHER: Final = 0.2
"""Seconds of events that a page gets at once: nobody sees more than five changes a second."""
PAGE_BUFFER: Final = 5_000
"""Events that a page may be behind: those of a backlog come by the thousand."""
SEND_TIMEOUT: Final = 30.0
"""Seconds until a page that takes nothing is given up: it comes again by itself."""
BEAT_INTERVAL: Final = 10.0
"""Seconds of silence before a page is told that all is well: a comment it would not see."""
LAST_EVENT_ID: Final = "Last-Event-ID"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
BEAT: Final = message("beat", None)
logger = logging.getLogger("nexus_async.dashboard")


class Routes:
    """Answer requests."""

    def __init__(self, guard: Guard, lookup: Lookup, state: State, *, cookie: str, allow_kill: bool) -> None:
        self._guard = guard
        self._lookup = lookup
        self._state = state
        self._cookie = cookie
        self._allow_kill = allow_kill

    def application(self) -> web.Application:
        """Return the application that serves them."""
        app = web.Application(middlewares=[self._let_in, _tell_errors])
        app.router.add_get("/", self._page)
        app.router.add_get("/events", self._events, allow_head=False)
        app.router.add_get("/titles", self._titles)
        app.router.add_get("/projects/{project_id}/runs/{run_id}/matrices", self._matrices)
        app.router.add_post("/projects/{project_id}/runs/{run_id}/kill", self._kill)
        app.on_response_prepare.append(_add_headers)
        return app

    @web.middleware
    async def _let_in(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        token = request.query.get("token") or self._guard.token_for(request.query.get("ticket"))
        tokens = (token, request.cookies.get(self._cookie))
        refusal = self._guard.refusal_of(request.method, request.headers, tokens)
        if refusal is not None:
            return web.Response(status=refusal.status, text=f"{refusal.why}\n")
        response = await handler(request)
        if token is not None and self._guard.is_token(token) and not response.prepared:
            response.set_cookie(self._cookie, token, httponly=True, samesite="Strict")
        return response

    async def _page(self, _: web.Request) -> web.Response:
        response = web.Response(text=page_with({"live": True}), content_type="text/html")
        response.headers["Content-Security-Policy"] = f"{policy()}; frame-ancestors 'none'"
        return response

    async def _events(self, request: web.Request) -> EventSourceResponse:
        from aiohttp_sse import sse_response  # noqa: PLC0415 - of an extra, which a report does without

        after = request.headers.get(LAST_EVENT_ID) or request.query.get("after")
        opening = [message("hello", {"now": self._state.now(), "allowKill": self._allow_kill})]
        if after is None or not self._state.hub.holds(after):
            after = self._state.place
            opening.append(self._state.snapshot())
        events = self._state.hub.sse(after=after, buffer=PAGE_BUFFER, max_wait=GATHER, heartbeat=BEAT_INTERVAL)
        async with aclosing(events), sse_response(request, send_timeout=SEND_TIMEOUT) as response:
            try:
                await _send_all(response, b"".join(opening), events)
            except ConnectionError:
                pass  # the page is gone
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()  # what is not sent yet would hold up the end
        return response

    async def _titles(self, _: web.Request) -> web.Response:
        return web.Response(body=await self._lookup.titles(), content_type=JSON_TYPE)

    async def _matrices(self, request: web.Request) -> web.Response:
        matrices = await self._lookup.matrices(request.match_info["project_id"], request.match_info["run_id"])
        return web.Response(body=matrices, content_type=JSON_TYPE)

    async def _kill(self, request: web.Request) -> web.Response:
        if not self._allow_kill:
            raise web.HTTPForbidden(text="this dashboard kills nothing: start it with --allow-kill\n")
        run = await self._lookup.kill(request.match_info["project_id"], request.match_info["run_id"])
        logger.info("%s was killed from the dashboard", run.id)
        return web.Response(body=encoded({"status": run.status.overview}), content_type=JSON_TYPE)


async def _send_all(response: EventSourceResponse, opening: bytes, events: AsyncIterator[bytes]) -> None:
    await _send(response, opening)
    try:
        async for chunk in events:
            await _send(response, BEAT if chunk == HEARTBEAT else chunk)
    except NexusError as failure:  # of the feed
        await _send(response, message("failed", str(failure)))


async def _send(response: EventSourceResponse, chunk: bytes) -> None:
    async with asyncio.timeout(SEND_TIMEOUT):
        await response.write(chunk)


@web.middleware
async def _tell_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer with what Nexus said, where it was asked and refused."""
    try:
        return await handler(request)
    except InvalidArgumentError as error:
        return web.Response(status=HTTPStatus.NOT_FOUND, text=f"{error}\n")
    except StatusError as error:
        return web.Response(status=HTTPStatus.BAD_GATEWAY, text=f"{error}\n")
    except NexusError as error:
        return web.Response(status=HTTPStatus.GATEWAY_TIMEOUT, text=f"{error}\n")


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
