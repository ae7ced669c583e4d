"""Reading the body of an answer, never more of it than it may have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.http.inflation import BodyTooLargeError, Suspicion, check_size
from nexus_async.http.protocol import MULTIPLE_CHOICES, NOT_MODIFIED, OK
from nexus_async.http.unpacking import CodingError, Unpacking

if TYPE_CHECKING:
    import aiohttp

    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

LONGEST_REFUSAL: Final = 64 * 1024
"""Bytes of a refusal that are read: it tells a code and a message, or is a proxy's page."""
_PLAIN: Final = "identity"


async def read_body(response: aiohttp.ClientResponse, turn: Turn, limit: int) -> bytes:
    """Return the body of an answer, of a refusal its beginning, inflated."""
    stream, coding = response.content, _coding_of(response)
    try:
        if response.status >= MULTIPLE_CHOICES:
            return _beginning(await _read_beginning(stream), coding)
        body = await stream.readany()
        if coding is not _PLAIN:
            return await _unpack(stream, body, Unpacking(coding), limit)
        if stream.at_eof() and len(body) <= limit:
            return body
        return await _read_rest(stream, body, limit)
    finally:
        turn.received += stream.total_bytes


async def pour_body(response: aiohttp.ClientResponse, sink: Sink, turn: Turn, limit: int) -> bytes:
    """Hand the body to the sink, as it is coded; return that of a refusal, which is not for it."""
    left_out = response.status == NOT_MODIFIED
    if response.status != OK and not left_out:
        return await read_body(response, turn, limit)
    coding = _coding_of(response)
    etag, length = response.headers.get("ETag"), response.content_length
    check_size(length or 0, limit)
    sink.begin(etag=etag, coding=coding, left_out=left_out, length=length, limit=limit)
    suspicion = None if coding is _PLAIN else Suspicion()
    received = 0
    async for chunk in response.content.iter_any():
        turn.received += len(chunk)
        received += len(chunk)
        check_size(received, limit)
        if suspicion is not None:
            suspicion.feed(chunk)
        sink.feed(chunk)
    return b""


def _coding_of(response: aiohttp.ClientResponse) -> str:
    coding = response.headers.get("Content-Encoding")
    return _PLAIN if coding is None or coding.lower() == _PLAIN else coding.lower()


async def _read_rest(stream: aiohttp.StreamReader, first: bytes, limit: int) -> bytes:
    pieces, size = [first], len(first)
    while True:
        check_size(size, limit)
        if stream.at_eof():
            return b"".join(pieces)
        pieces.append(await stream.readany())
        size += len(pieces[-1])


async def _unpack(stream: aiohttp.StreamReader, first: bytes, unpacking: Unpacking, limit: int) -> bytes:
    unpacking.feed(first, limit)
    while not stream.at_eof():
        unpacking.feed(await stream.readany(), limit)
    return unpacking.body()


async def _read_beginning(stream: aiohttp.StreamReader) -> bytes:
    body = await stream.readany()
    while len(body) < LONGEST_REFUSAL and not stream.at_eof():
        body += await stream.readany()
    return body[:LONGEST_REFUSAL]


def _beginning(body: bytes, coding: str) -> bytes:
    """Return a refusal's body as text, where it came compressed; as it is where it does not inflate."""
    if coding is _PLAIN:
        return body
    unpacking = Unpacking(coding)
    try:
        unpacking.feed(body, LONGEST_REFUSAL)
    except CodingError:
        return body
    except BodyTooLargeError:
        pass
    return unpacking.body()[:LONGEST_REFUSAL]
