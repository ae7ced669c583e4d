"""Bodies that are larger than they may be, and compressed ones that grow beyond all measure, without I/O.

What inflates is bounded by its size, and by its measure to what came, as Apache's mod_deflate does it
(https://httpd.apache.org/docs/2.4/mod/mod_deflate.html#deflateinflateratiolimit): JSON grows to ten or thirty
times what came, the zeros of a bomb to a thousand times and more. So a bomb is known after its first megabyte.
"""

from __future__ import annotations

import zlib
from typing import Final

RATIO: Final = 200
"""How many bytes one byte that came may stand for."""
BURST: Final = 1 << 20
"""Bytes up to which a body may grow by any measure."""
AUTOMATIC_HEADER: Final = 32 + zlib.MAX_WBITS
"""Makes zlib tell gzip and deflate apart by themselves."""

_UNSUSPICIOUS: Final = 4096
"""Bytes that may come before a look is taken: deflate makes 1032 of one at most."""
_SAMPLE: Final = 1 << 14
"""Bytes that are inflated at a time for a look: a thirtieth of a millisecond."""


class BodyTooLargeError(Exception):
    """Tell what of an answer's body is too large. It never leaves this package."""


def check_size(size: int, limit: int) -> None:
    """Raise `BodyTooLargeError` for more bytes than there may be."""
    if size > limit:
        raise BodyTooLargeError(f"the answer has more than the {limit:,} bytes that it may have")


def check_ratio(inflated: int, received: int) -> None:
    """Raise `BodyTooLargeError` for a body that grows beyond all measure."""
    if inflated > BURST and inflated > RATIO * received:
        raise BodyTooLargeError(
            f"the answer is a compression bomb: {received:,} bytes are more than {inflated:,}"
        )


class Suspicion:
    """Look at a body of gzip or deflate that is kept as it came: how it begins, and further where that is odd."""

    __slots__ = ("_head", "_inflated", "_is_over", "_received", "_unpacking")

    def __init__(self) -> None:
        self._unpacking = zlib.decompressobj(AUTOMATIC_HEADER)
        self._head = b""
        self._received = self._inflated = 0
        self._is_over = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes in. Raises `BodyTooLargeError` for a bomb."""
        if self._is_over:
            return
        self._received += len(chunk)
        if self._received < _UNSUSPICIOUS:
            self._head += chunk
            return
        head, self._head = self._head, b""
        try:
            self._is_over = self._count(head + chunk)
        except zlib.error:  # whoever reads it tells what is wrong with it
            self._is_over = True

    def _count(self, rest: bytes) -> bool:
        """Inflate and forget; tell whether the body is an honest one so far."""
        while rest and not self._unpacking.eof:
            self._inflated += len(self._unpacking.decompress(rest, _SAMPLE))
            rest = self._unpacking.unconsumed_tail
            came = self._received - len(rest)
            check_ratio(self._inflated, came)
            if 2 * self._inflated < RATIO * came:
                return True
        return self._unpacking.eof
