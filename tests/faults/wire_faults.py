"""What goes wrong on a connection: each is done by a `RawNexus`, after a request or before it."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING

from raw_nexus import RUN, written

if TYPE_CHECKING:
    from raw_nexus import Act, Wire


def says(data: bytes, *, then_closes: bool = False) -> Act:
    """Send `data`, whatever it is."""

    async def say(wire: Wire) -> bool:
        await wire.send(data)
        return not then_closes

    return say


def status(number: int, *, retry_after: str = "") -> Act:
    """Refuse as the API does."""
    headers = {"Retry-After": retry_after} if retry_after else {}
    return says(written(b'{"code": "Code", "message": "no"}', status=number, headers=headers))


def page(number: int) -> Act:
    """Refuse as a proxy does."""
    html = b"<!DOCTYPE html><html><head><title>nexus | %d</title></head><body>no</body></html>" % number
    return says(written(html, status=number, headers={"Content-Type": "text/html"}))


async def close(_: Wire) -> bool:
    """Break off with a FIN."""
    return False


async def reset(wire: Wire) -> bool:
    """Break off with an RST."""
    wire.reset()
    return False


async def silence(wire: Wire) -> bool:
    """Say nothing, until the client leaves."""
    await wire.reader.read()
    return False


def trickle(gap: float) -> Act:
    """Send the answer a byte at a time, `gap` seconds apart."""

    async def send_slowly(wire: Wire) -> bool:
        for byte in written():
            await asyncio.sleep(gap)
            await wire.send(bytes([byte]))
        return True

    return send_slowly


async def close_where_it_was_served(wire: Wire) -> bool:
    """Break off a connection that was used before, with the request read; answer on a new one."""
    if wire.served:
        return False
    await wire.send(written())
    return True


async def close_between(wire: Wire) -> bool:
    """Break off a connection that was used before, while nothing is asked."""
    return not wire.served


async def reset_as_the_next_arrives(wire: Wire) -> bool:
    """Break off a connection that was used before when the first byte of a request is there, which is not read."""
    if not wire.served:
        return True
    await wire.reader.read(1)
    wire.reset()
    return False


async def say_too_much(wire: Wire) -> bool:
    """Send more than the length says, what is over a moment later."""
    await wire.send(written(length=len(RUN)))
    await asyncio.sleep(1)
    await wire.send(b"and more")
    return True


async def redirect_elsewhere(wire: Wire) -> bool:
    """Send the client to another server."""
    await wire.send(written(b"", status=307, headers={"Location": f"{wire.elsewhere}/projects"}))
    return True


def bomb(size: int) -> Act:
    """Send a small body that inflates to `size` bytes."""
    return says(written(gzip.compress(b" " * size), headers={"Content-Encoding": "gzip"}))
