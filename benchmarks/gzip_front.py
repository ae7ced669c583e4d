"""A proxy before a local Nexus that compresses what it answers, as the edge before an API does."""

from __future__ import annotations

import gzip
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LEVEL = 6
"""zlib's own default."""


class GzipFront:
    """Pass requests on; compress an answer once, until another comes for the same path."""

    def __init__(self, session: aiohttp.ClientSession, upstream: str) -> None:
        self._session = session
        self._upstream = upstream
        self._packed: dict[str, tuple[bytes, bytes]] = {}

    async def answer(self, request: web.Request) -> web.Response:
        if "gzip" not in request.headers.get("Accept-Encoding", ""):
            return web.Response(status=406, text="this front answers with gzip alone")
        async with self._session.request(
            request.method,
            self._upstream + request.raw_path,
            headers={"Secret-Key": request.headers.get("Secret-Key", "")},
        ) as answer:
            body = self._pack(request.raw_path, await answer.read())
            headers = {"Content-Encoding": "gzip", "Content-Type": answer.headers["Content-Type"]}
            return web.Response(body=body, status=answer.status, headers=headers)

    def _pack(self, path: str, body: bytes) -> bytes:
        last, packed = self._packed.get(path, (None, b""))
        if body != last:
            packed = gzip.compress(body, LEVEL)
            self._packed[path] = body, packed
        return packed


@asynccontextmanager
async def gzip_front(upstream: str) -> AsyncIterator[str]:
    """Serve a front on a free port, and give its URL."""
    async with aiohttp.ClientSession() as session:
        app = web.Application()
        app.router.add_get("/{path:.*}", GzipFront(session, upstream).answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
