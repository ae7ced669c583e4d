"""Reading the body of an answer, never more of it than it may have."""

from __future__ import annotations

import zlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from nexus_async.http.inflation import AUTOMATIC_HEADER, Suspicion, check_ratio, check_size

if TYPE_CHECKING:
    import aiohttp

    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

LONGEST_REFUSAL: Final = 64 * 1024
"""Bytes of a refusal that are read: it tells a code and a message, or is a proxy's page."""


async def read_body(response: aiohttp.ClientResponse, turn: Turn, limit: int) -> bytes:
    """Return the body of an answer, of a refusal its beginning, as aiohttp inflates it: piece by piece."""
    stream = response.content
    is_refusal = response.status >= HTTPStatus.MULTIPLE_CHOICES
    try:
        body = await stream.readany()
        if stream.at_eof() and len(body) <= limit and not is_refusal:
            return body
        return await _read_beginning(stream, body) if is_refusal else await _read_rest(stream, body, limit)
    finally:
        turn.received += _received(stream)


def _received(stream: aiohttp.StreamReader) -> int:
    """Return the bytes that came, compressed ones as they came."""
    compressed: int | None = getattr(
        stream, "total_compressed_bytes", None
    )  # where there is no body, aiohttp has none
    return stream.total_bytes if compressed is None else compressed


async def _read_beginning(stream: aiohttp.StreamReader, body: bytes) -> bytes:
    while len(body) < LONGEST_REFUSAL and not stream.at_eof():
        body += await stream.readany()
    return body[:LONGEST_REFUSAL]


async def _read_rest(stream: aiohttp.StreamReader, first: bytes, limit: int) -> bytes:
    pieces, size = [first], len(first)
    while True:
        check_size(size, limit)
        if stream.total_compressed_bytes is not None:
            check_ratio(size, stream.total_compressed_bytes)
        if stream.at_eof():
            return b"".join(pieces)
        pieces.append(await stream.readany())
        size += len(pieces[-1])


async def pour_body(response: aiohttp.ClientResponse, sink: Sink, turn: Turn, limit: int) -> bytes:
    """Hand the body to the sink, as it is coded; return that of a refusal, which is not for it."""
    left_out = response.status == HTTPStatus.NOT_MODIFIED
    if response.status != HTTPStatus.OK and not left_out:
        return _inflated(await read_body(response, turn, limit))
    coding = response.headers.get("Content-Encoding", "identity").lower()
    etag, length = response.headers.get("ETag"), response.content_length
    check_size(length or 0, limit)
    sink.begin(etag=etag, coding=coding, left_out=left_out, length=length, limit=limit)
    suspicion = None if coding == "identity" else Suspicion()
    received = 0
    async for chunk in response.content.iter_any():
        turn.received += len(chunk)
        received += len(chunk)
        check_size(received, limit)
        if suspicion is not None:
            suspicion.feed(chunk)
        sink.feed(chunk)
    return b""


def _inflated(body: bytes) -> bytes:
    """Return a refusal's body as text, where it came compressed; as it is where it does not inflate."""
    unpacking = zlib.decompressobj(AUTOMATIC_HEADER)
    try:
        return unpacking.decompress(body, LONGEST_REFUSAL)
    except zlib.error:
        return body
