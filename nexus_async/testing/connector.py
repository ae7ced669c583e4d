"""Connections between a client and a server on one loop with virtual time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ClientRequest
    from aiohttp.tracing import Trace


class VirtualConnector(aiohttp.BaseConnector):
    """Connect through the loop, where aiohttp would open a socket of the system."""

    async def _create_connection(
        self,
        req: ClientRequest,
        traces: list[Trace],  # noqa: ARG002 - aiohttp's signature
        timeout: aiohttp.ClientTimeout,  # noqa: ARG002 - aiohttp's signature
    ) -> ResponseHandler:
        loop = asyncio.get_running_loop()
        host, port = req.url.host or "", req.url.port or 0
        try:
            _, protocol = await loop.create_connection(self._factory, host, port)
        except ConnectionRefusedError as refusal:
            raise aiohttp.ClientConnectorError(req.connection_key, refusal) from refusal
        return protocol
