"""Inflating the body of an answer while it arrives, never to more than it may."""

from __future__ import annotations

from typing import Final, Protocol

from aiohttp.compression_utils import (
    HAS_BROTLI,
    HAS_ZSTD,
    BrotliDecompressor,
    ZLibDecompressor,
    ZSTDDecompressor,
)

from nexus_async.http.inflation import check_ratio, check_size

_SLICE: Final = 4096
"""Bytes that are inflated at a time, so that what they grow to can be told of them."""
_PIECE: Final = 1 << 16
"""Bytes that one step of it may make."""
_ZLIB_METHOD: Final = 8
"""How the first byte of zlib's format ends (RFC 1950, section 2.2), without which some servers send deflate."""


class CodingError(Exception):
    """Tell what is wrong with how a body is coded. It never leaves this package."""


class _Decompressor(Protocol):
    def decompress_sync(self, data: bytes, max_length: int) -> bytes: ...

    @property
    def data_available(self) -> bool: ...


class Unpacking:
    """Take a body in as it comes, and give it as it was before it was compressed.

    `coding` is one of gzip, deflate, br and zstd, the last two where they are installed. Raises `CodingError` for
    another, and for a body that is not what it says.
    """

    def __init__(self, coding: str) -> None:
        self._coding = coding
        self._decompressor: _Decompressor | None = None
        self._received = self._size = 0
        self._pieces: list[bytes] = []

    def feed(self, chunk: bytes, limit: int) -> None:
        """Take the next bytes in. Raises `BodyTooLargeError` for more than `limit` of them, and for a bomb."""
        for at in range(0, len(chunk), _SLICE):
            rest = chunk[at : at + _SLICE]
            self._received += len(rest)
            decompressor = self._decompressor = self._decompressor or self._decompressor_for(rest)
            while True:
                piece = self._inflated(decompressor, rest)
                self._pieces.append(piece)
                self._size += len(piece)
                check_ratio(self._size, self._received)
                check_size(self._size, limit)
                if not decompressor.data_available:
                    break
                rest = b""

    def body(self) -> bytes:
        """Return all that was inflated."""
        return b"".join(self._pieces)

    def _inflated(self, decompressor: _Decompressor, rest: bytes) -> bytes:
        try:
            return decompressor.decompress_sync(rest, _PIECE)
        except Exception as refusal:  # noqa: BLE001 - each coding has an error of its own
            what = f"the answer is not coded as {self._coding}, which it says: {refusal}"
        raise CodingError(what)

    def _decompressor_for(self, begin: bytes) -> _Decompressor:
        match self._coding:
            case "gzip" | "x-gzip":
                return ZLibDecompressor(encoding="gzip")
            case "deflate":
                is_bare = begin[0] & 0xF != _ZLIB_METHOD
                return ZLibDecompressor(encoding="deflate", suppress_deflate_header=is_bare)
            case "br" if HAS_BROTLI:
                return BrotliDecompressor()
            case "zstd" if HAS_ZSTD:
                return ZSTDDecompressor()
        raise CodingError(f"the answer is coded as {self._coding!r}, which was not asked for")
