"""A proxy before a local Nexus, on real sockets: it refuses, breaks off and says garbage by a seeded script."""

from __future__ import annotations

import asyncio
import gzip
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import aiohttp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from random import Random

FAULTS: Final = ("429", "503", "dropped", "dropped in the body", "broken")
DECK: Final = (*FAULTS, *("passed",) * 9)
"""What befalls as many requests, each time in another order."""


@dataclass
class FaultyProxy:
    """Pass requests on to `target`, most of them. `passing` is told the path of each before it is."""

    target: str
    random: Random
    passing: Callable[[str], None]
    url: str = ""
    fates: Counter[str] = field(default_factory=Counter)
    _deck: list[str] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._answer(await reader.readuntil(b"\r\n\r\n"), writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or was killed, or the test is over
        finally:
            writer.close()

    async def _answer(self, head: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer a request; tell whether the connection goes on."""
        fate = self._next_fate()
        self.fates[fate] += 1
        match fate:
            case "dropped":
                return False
            case "429":
                await self._write(
                    writer, b"HTTP/1.1 429 Slow Down\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
                )
            case "503":
                await self._write(writer, b"HTTP/1.1 503 Down\r\nContent-Length: 9\r\n\r\n<p>Later.")
            case _:
                return await self._pass_on(head, fate, writer)
        return True

    async def _pass_on(self, head: bytes, fate: str, writer: asyncio.StreamWriter) -> bool:
        status, body = await self._asked(head)
        if fate == "broken":
            body = body[: self.random.randrange(len(body))] + b"<html>"
        answer, begin = self._encoded(status, body)
        if fate == "dropped in the body":
            answer = answer[: self.random.randrange(begin, len(answer))]
        await self._write(writer, answer)
        return fate != "dropped in the body"

    async def _asked(self, head: bytes) -> tuple[int, bytes]:
        first, *lines = head.decode().split("\r\n")
        path = first.split(" ")[1]
        self.passing(path)
        headers = dict(line.split(": ", 1) for line in lines if line)
        async with (
            aiohttp.ClientSession() as session,
            session.get(self.target + path, headers={"Secret-Key": headers["Secret-Key"]}) as response,
        ):
            return response.status, await response.read()

    def _encoded(self, status: int, body: bytes) -> tuple[bytes, int]:
        """Return an answer, and where in it the body begins."""
        head = f"HTTP/1.1 {status} So\r\nContent-Type: application/json\r\n"
        if self.random.random() < 1 / 4:
            body, head = gzip.compress(body), head + "Content-Encoding: gzip\r\n"
        if self.random.random() < 1 / 2:
            cut = self.random.randrange(1, len(body))
            parts = (body[:cut], body[cut:], b"")
            body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)
            head += "Transfer-Encoding: chunked\r\n\r\n"
        else:
            head += f"Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body, len(head)

    async def _write(self, writer: asyncio.StreamWriter, answer: bytes) -> None:
        """Write in pieces of odd sizes."""
        while answer:
            size = self.random.choice([1, 7, 100, 1000, 10_000])
            writer.write(answer[:size])
            await writer.drain()
            await asyncio.sleep(0)
            answer = answer[size:]

    def _next_fate(self) -> str:
        if not self._deck:
            self._deck = self.random.sample(DECK, len(DECK))
        return self._deck.pop()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def faulty(target: str, random: Random, passing: Callable[[str], None]) -> AsyncIterator[FaultyProxy]:
    proxy = FaultyProxy(target, random, passing)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
        await server.wait_closed()
