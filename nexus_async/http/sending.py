"""What aiohttp does once more by itself, and how that is counted or kept from it.

aiohttp sends a GET or DELETE a second time where its connection breaks before an answer, on a fresh connection as
on one that was kept (RFC 9112, section 9.3.1, allows it for the latter). A call is sent again by our own rules
alone, which count and pause. A poll is a single attempt, and may well meet a connection that the server is
closing: it is sent again at once, and counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from nexus_async.http.failures import DroppedError, what_broke

if TYPE_CHECKING:
    from nexus_async.http.throttle import Turn


async def send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a request again."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as drop:
        what = what_broke(drop)
    raise DroppedError(what)


class Counted:
    """Count how often aiohttp sends a request, and charge its turn with each."""

    __slots__ = ("_turn", "sends")

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self.sends = 0

    async def __call__(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send it."""
        self.sends += 1
        if self.sends > 1:
            self._turn.again()
        return await handler(request)
