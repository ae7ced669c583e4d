"""A server below HTTP, on a real socket: it breaks off, says garbage or says nothing, and counts requests."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nexus_async import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RUN = (
    b'{"id": "run_1", "projectId": "proj_1", "flowId": "flow_1", "execution": {}, "createDate": 1, "updateDate": 1,'
    b' "status": {"overview": "Running", "message": "", "updateDate": 1}, "deleted": true}'
)
WHOLE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(RUN), RUN)
PIECE = 1 << 16
"""Bytes of an answer that are held at a time."""


@dataclass
class Step:
    """Say what happens to one request: `answer` is sent, and then the connection is broken, or not."""

    answer: bytes = b""
    breaks: bool = True
    reads: bool = True


ANSWER = Step(WHOLE, breaks=False)
ANSWER_AND_CLOSE = Step(WHOLE)
DROP_UNREAD = Step(reads=False)
DROP_BEFORE = Step()
DROP_IN_HEADERS = Step(WHOLE[:30])
DROP_IN_BODY = Step(WHOLE[:-20])
SILENCE = Step(breaks=False)
GARBAGE = Step(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


@dataclass
class RawServer:
    """Take the next step at each request, and the last one at each after it."""

    steps: tuple[Step, ...]
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the first request is there."""
    _taken: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def client(self, **options: float) -> Client:
        quick = {"requests_per_second": 1e6, **options}
        return Client("k", endpoint=self.url, jitter=lambda _: 0.0, **quick)  # type: ignore[arg-type]  # numbers all

    @property
    def methods(self) -> list[str]:
        return [request.split(b" ")[0].decode() for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            while await self._take_step(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _take_step(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        unread = self._next()
        if unread.reads:
            self.requests.append(await _read_request(reader))
            self.asked.set()
        step = self._next()
        self._taken += 1
        for at in range(0, len(step.answer), PIECE):
            writer.write(step.answer[at : at + PIECE])
            await writer.drain()
        return not step.breaks

    def _next(self) -> Step:
        return self.steps[min(self._taken, len(self.steps) - 1)]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"Content-Length: (\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)


@asynccontextmanager
async def serving(*steps: Step, scheme: str = "http") -> AsyncIterator[RawServer]:
    raw = RawServer(steps)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0)
    raw.url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield raw
    finally:
        server.close()
        await raw.close()
        await server.wait_closed()


def refusing_url() -> str:
    """Give an address on this machine where nothing listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"
