"""Where reading a log stands, and how it goes on in the next snapshot.

A position is what was read: how many entries, a digest chained over what they mean, and the fingerprints of
the last eight. It decides alone; neither `t` nor `step` does, since many entries share a `t` and a resumed
training goes back in `step`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import xxhash

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.logs.entries import Entry

REMEMBERED: Final = 8
"""Entries whose fingerprints are kept, to find the place again in a log that changed."""
FINGERPRINT: Final = 8
"""Bytes of one."""


class Position(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Say what was read of one log."""

    read: int = 0
    """Entries of the log, from its first, that were read."""
    index: int = 0
    """The index of the next event. It counts on over a reset."""
    digest: bytes = b""
    """16 bytes, chained over the fingerprints of all entries read."""
    tail: bytes = b""
    """The fingerprints of the last entries read, one after another."""
    length: int = 0
    """Bytes of the body up to the end of the last entry read; 0 where they are not known."""
    prefix: bytes = b""
    """16 bytes, the digest of those bytes: where it is the same again, nothing before needs decoding."""

    def after(self, fingerprint: bytes) -> Position:
        """Return the position with one more entry read."""
        return Position(
            self.read + 1,
            self.index + 1,
            chained(self.digest, fingerprint),
            (self.tail + fingerprint)[-REMEMBERED * FINGERPRINT :],
        )


class Step(msgspec.Struct, frozen=True, gc=False):
    """Hold one entry that is new, and the position after it."""

    entry: Entry
    index: int
    position: Position


class Reset(msgspec.Struct, frozen=True, gc=False):
    """Say that what was read is not what the log begins with any more."""

    read: int
    """Entries read before."""
    recognized: int
    """How many of those remembered were found again."""
    resumes_at: int
    """The entry of the new log at which reading goes on."""


def realigned(position: Position, log: Sequence[bytes]) -> tuple[Reset, Position]:
    """Find the place again in a log that does not begin with what was read; `log` is its fingerprints."""
    length, end = _longest_overlap(_split(position.tail), log)
    digest = b""
    for fingerprint in log[:end]:
        digest = chained(digest, fingerprint)
    start = Position(end, position.index, digest, b"".join(log[max(0, end - REMEMBERED) : end]))
    return Reset(position.read, length, end), start


def chained(digest: bytes, fingerprint: bytes) -> bytes:
    """Return the digest of one entry more."""
    return xxhash.xxh3_128_digest(digest + fingerprint)


def _split(tail: bytes) -> list[bytes]:
    return [tail[start : start + FINGERPRINT] for start in range(0, len(tail), FINGERPRINT)]


def _longest_overlap(tail: Sequence[bytes], log: Sequence[bytes]) -> tuple[int, int]:
    """Return the length of the longest stretch of `tail` that stands in `log`, and the end of it there.

    Where several places fit, the earliest: reading twice beats losing.
    """
    best, end = 0, 0
    lengths = [0] * (len(tail) + 1)
    for place, fingerprint in enumerate(log, start=1):
        lengths = [0] + [lengths[i] + 1 if fingerprint == kept else 0 for i, kept in enumerate(tail)]
        if max(lengths) > best:
            best, end = max(lengths), place
    return best, end
