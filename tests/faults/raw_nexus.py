"""A server below HTTP, on real sockets: it does what no HTTP server can be brought to do, and counts requests."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Mapping

RUN: Final = (
    b'{"id": "run_1", "projectId": "proj_1", "flowId": "flow_1", "execution": {}, "createDate": 1, "updateDate": 1,'
    b' "status": {"overview": "Running", "message": "", "updateDate": 1}, "deleted": true}'
)
"""What answers each of the four methods."""
_DATE: Final = "Tue, 10 Mar 2026 12:00:00 GMT"


def written(
    body: bytes = RUN, *, status: int = 200, length: int | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Write an answer; `length` is what it says of its body, where that is another than it has."""
    lines = {"Date": _DATE, "Content-Type": "application/json", "Content-Length": str(len(body))}
    lines |= headers or {}
    if length is not None:
        lines["Content-Length"] = str(length)
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


@dataclass
class Wire:
    """Hold one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    elsewhere: str
    """The URL of another server."""
    served: int = 0
    """How many requests were answered on it."""

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def read_request(self) -> bytes:
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        return head + await self.reader.readexactly(int(length[1]) if length else 0)

    def reset(self) -> None:
        """Break it off with an RST, not a FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


Act = Callable[[Wire], Awaitable[bool]]
"""Do something on a connection; false ends it."""


async def well(wire: Wire) -> bool:
    """Answer."""
    await wire.send(written())
    return True


async def greeted(_: Wire) -> bool:
    """Do nothing before the first request."""
    return True


@dataclass
class RawNexus:
    """Do `answer` after each request, `greet` when a connection stands, and `wait` before each request."""

    greet: Act = greeted
    wait: Act = greeted
    answer: Act = well
    requests: int = 0
    connections: int = 0
    elsewhere: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._serve(Wire(reader, writer, self.elsewhere))
        except (asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            pass  # the client left, or the test is over
        finally:
            writer.close()

    async def _serve(self, wire: Wire) -> None:
        if not await self.greet(wire):
            return
        while await self.wait(wire):
            await wire.read_request()
            self.requests += 1
            if not await self.answer(wire):
                return
            wire.served += 1

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def bound_socket() -> socket.socket:
    """Take a port of this machine, without listening on it yet."""
    # named, so that asyncio knows it for TCP, and turns off the algorithm that holds small packets back
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind(("127.0.0.1", 0))
    return bound


@asynccontextmanager
async def listening(
    nexus: RawNexus, bound: socket.socket, papers: ssl.SSLContext | None = None
) -> AsyncIterator[None]:
    """Serve on a port that was taken, over TLS where there are papers."""
    server = await asyncio.start_server(nexus.serve, sock=bound.dup(), ssl=papers)
    try:
        yield
    finally:
        server.close()
        await nexus.close()
        await server.wait_closed()
