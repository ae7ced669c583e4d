"""A plain client that reads nothing into the answers of a local Nexus, on sockets or on virtual time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from local_api import virtual

from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.testing import is_virtual
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

both = pytest.mark.parametrize("loop", [pytest.param("virtual", marks=virtual), "real"])


class Session:
    """Ask without reading anything into the answers."""

    def __init__(self, nexus: LocalNexus, session: aiohttp.ClientSession) -> None:
        self.nexus = nexus
        self._session = session
        self.run = nexus.start_run()

    async def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        url = f"{self.nexus.url}/projects/{self.nexus.project_id}/{path}"
        headers["Secret-Key"] = self.nexus.secret_key
        async with self._session.request(
            method, url, headers=headers, allow_redirects=False, data=b'{"status": "Cancelled"}'
        ) as answer:
            return answer, await answer.read()

    async def get(self, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        return await self.ask(f"runs/{self.run.id}", **headers)

    async def kill(self) -> tuple[aiohttp.ClientResponse, bytes]:
        return await self.ask(f"runs/{self.run.id}", "PATCH")

    async def get_logs(self, **headers: str) -> tuple[aiohttp.ClientResponse, bytes]:
        return await self.ask(f"runs/logs/{self.run.log_ids[0]}", **headers)

    async def entries(self) -> list[dict[str, Any]]:
        logs: list[dict[str, Any]] = msgspec.json.decode((await self.get_logs())[1])["logs"]
        return logs

    async def read_raw(self) -> tuple[int, bytes]:
        """Return the length that an answer promises, and what comes of its body until nothing more does."""
        host, port = self.nexus.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        lines = (
            "GET /workspace HTTP/1.1",
            "Host: x",
            "Connection: close",
            f"Secret-Key: {self.nexus.secret_key}",
        )
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        return int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]), body


@asynccontextmanager
async def asking(timeout: float | None = None, *, inflate: bool = True, **options: Any) -> AsyncIterator[Session]:
    connector = VirtualConnector() if is_virtual(asyncio.get_running_loop()) else aiohttp.TCPConnector()
    async with (
        LocalNexus(ScriptedTrainer(), **options) as nexus,
        aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(timeout), auto_decompress=inflate
        ) as session,
    ):
        yield Session(nexus, session)
