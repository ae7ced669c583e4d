"""Reading one log again and again, so that a snapshot costs by what is new in it.

The bytes of a body are digested while they arrive. Where those that were read before are the same, only what
follows is decoded; where the whole body is the same, nothing is. Only where they differ is the whole body
decoded, and what its entries mean decides.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Final

import msgspec
import xxhash

from nexus_async.config import MAX_RESPONSE_BYTES
from nexus_async.http.inflation import AUTOMATIC_HEADER, check_ratio, check_size
from nexus_async.logs.entries import decode_entries
from nexus_async.logs.position import Position, Reset, Step, chained, realigned
from nexus_async.logs.slices import UNKNOWN, entries_from

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from nexus_async.logs.entries import Entry

_HEAD: Final = re.compile(rb'\s*\{\s*(?:"id"\s*:\s*"[^"\\]*"\s*,\s*)?"logs"\s*:\s*\[\s*')
"""How a body begins whose entries can be found without decoding all of it."""

PACKED: Final = frozenset({"gzip", "x-gzip", "deflate"})
"""The codings that a body may come in (RFC 9110, section 8.4.1)."""
KEPT: Final = 1 << 20
"""Bytes of what was read before that are kept until they prove to be the same."""
PIECE: Final = 1 << 20
"""Bytes inflated at a time."""


class News(msgspec.Struct, frozen=True, gc=False):
    """Hold what a slice of a body brought: often nothing, and seldom a reset before its steps."""

    steps: list[Step]
    reset: Reset | None = None


class LogReader(msgspec.Struct, gc=False):
    """Read one log. `position` is how far it was read; it moves as the news of a body are taken."""

    position: Position = Position()
    etag: str | None = None
    """The validator of the last body that was wholly read."""
    packed: bytes = b""
    """The digest of the last compressed body that was wholly read."""
    rest: bytes = b""
    """What stood behind the entries of the last body that was wholly read; empty where that is not known."""

    def forget_bytes(self) -> None:
        """Judge the next body by what it means alone."""
        self.position = msgspec.structs.replace(self.position, length=0, prefix=b"")

    def open(self, *, conditional: bool = False) -> Reading:
        """Begin to read a body; with `conditional`, it may be left out where it did not change."""
        return Reading(self, self.etag if conditional else None)


class Reading:
    """Take one answer in: `begin`, `feed` its chunks as they arrive, then take its `news`."""

    def __init__(self, reader: LogReader, if_none_match: str | None = None) -> None:
        self._reader = reader
        self.if_none_match = if_none_match
        """What to ask with, so that an unchanged body is left out."""
        self._etag: str | None = None
        self._is_packed = self._is_left_out = False
        self._missing = reader.position.length
        self._keeps = self._missing <= KEPT
        self._hash = xxhash.xxh3_128()
        self._chunks: list[bytes] = []
        self._is_known = False
        self._limit = MAX_RESPONSE_BYTES

    def begin(
        self,
        *,
        etag: str | None = None,
        coding: str = "identity",
        left_out: bool = False,
        limit: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Take the head of the answer in: its validator, its coding, and whether the body is left out.

        A compressed body may inflate to `limit` bytes.
        """
        self._limit = limit
        self._etag, self._is_packed, self._is_left_out = etag, coding in PACKED, left_out
        self._keeps = self._keeps or self._is_packed
        if coding not in PACKED and coding != "identity":
            raise msgspec.DecodeError(f"the body is coded as {coding!r}, which was not asked for")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes in."""
        if self._is_packed:
            self._hash.update(chunk)
            self._chunks.append(chunk)
        elif self._missing:
            self._digest(chunk)
        elif not self.is_lost:
            self._chunks.append(chunk)

    def _digest(self, chunk: bytes) -> None:
        """Digest what was read before. Where that is much, it is let go meanwhile, and seldom missed."""
        known = min(self._missing, len(chunk))
        self._hash.update(memoryview(chunk)[:known])
        self._missing -= known
        if self._keeps:
            self._chunks.append(chunk)
        if self._missing == 0:
            self._is_known = self._hash.digest() == self._reader.position.prefix
            if self._is_known:
                self._chunks = [chunk[known:]]

    @property
    def is_lost(self) -> bool:
        """Tell whether the body is not what was read before, and too much of it was let go to say what it is.

        It has to be asked for again.
        """
        return not self._is_known and not self._keeps and not self._is_left_out

    def news(self) -> Iterator[News]:
        """Yield what is new, slice by slice. Let the loop run between two of them.

        Raises `msgspec.DecodeError` where the body is no log, and `BodyTooLargeError` where it inflates to more
        than it may; what was yielded before is kept.
        """
        if self._is_left_out:
            return
        if self.is_lost:
            self._reader.forget_bytes()
            raise msgspec.DecodeError("the body is not what was read before: it has to be read again")
        packed = self._hash.digest() if self._is_packed else b""
        if packed and packed == self._reader.packed:
            self._reader.etag = self._etag
            return
        self._reader.etag, self._reader.packed = None, b""
        if self._is_packed:
            yield from self._unpack()
        body = b"".join(self._chunks)
        self._chunks = []
        yield from self._news_after_prefix(body) if self._is_known else self._news_of_whole(body)
        self._reader.etag, self._reader.packed = self._etag, packed

    def _unpack(self) -> Iterator[News]:
        """Inflate the body, a piece at a time, and feed it as it would have come uncompressed."""
        chunks, self._chunks = self._chunks, []
        self._hash, self._is_packed = xxhash.xxh3_128(), False
        unpacking = zlib.decompressobj(AUTOMATIC_HEADER)
        received = size = 0
        try:
            for chunk in chunks:
                received, rest = received + len(chunk), chunk
                while rest:
                    if unpacking.eof:  # gzip may come in several members (RFC 1952, section 2.2)
                        unpacking = zlib.decompressobj(AUTOMATIC_HEADER)
                    piece = unpacking.decompress(rest, PIECE)
                    size += len(piece)
                    check_size(size, self._limit)
                    rest = unpacking.unconsumed_tail or unpacking.unused_data
                    check_ratio(size, received - len(rest))
                    self.feed(piece)
                    yield News([])
            self.feed(unpacking.flush())
        except zlib.error as error:
            raise msgspec.DecodeError(f"the body does not inflate: {error}") from None
        if not unpacking.eof:
            raise msgspec.DecodeError("the body does not inflate: it breaks off")

    def _news_after_prefix(self, rest: bytes) -> Iterator[News]:
        if rest and rest == self._reader.rest:
            return
        known, end = self._reader.position.length, 0
        if self._reader.position.read and rest.lstrip()[:1] not in {b",", b"]"}:  # the last entry goes on
            self._reader.forget_bytes()
            raise msgspec.DecodeError("the body is not what was read before: it has to be read again")
        try:
            for entries, reached in entries_from(rest, _after_comma(rest)):
                if entries:
                    end = reached
                    yield self._take(entries)
        except msgspec.DecodeError:
            self._reader.forget_bytes()
            raise
        if end != UNKNOWN:
            self._hash.update(memoryview(rest)[:end])
        self._remember_bytes(0 if end == UNKNOWN else known + end, rest[end:])

    def _news_of_whole(self, body: bytes) -> Iterator[News]:
        if self._reader.position.read and not (yield from self._is_continued(body)):
            yield from self._realign(body)
        skipped, end = self._reader.position.read, UNKNOWN
        for entries, reached in _slices_of(body):
            new, skipped = entries[skipped:], max(0, skipped - len(entries))
            end = reached
            yield self._take(new)
        self._hash = xxhash.xxh3_128(memoryview(body)[: max(0, end)])
        self._remember_bytes(max(0, end), body[end:])

    def _is_continued(self, body: bytes) -> Generator[News, None, bool]:
        """Tell, as the generator's value, whether the body begins with what was read, by what it means."""
        position, digest, count = self._reader.position, b"", 0
        for entries, _ in _slices_of(body):
            for entry in entries[: position.read - count]:
                digest = chained(digest, entry.fingerprint)
            count += len(entries)
            if count >= position.read:
                break
            yield News([])
        return count >= position.read and digest == position.digest

    def _realign(self, body: bytes) -> Iterator[News]:
        fingerprints: list[bytes] = []
        for entries, _ in _slices_of(body):
            fingerprints += [entry.fingerprint for entry in entries]
            yield News([])
        reset, self._reader.position = realigned(self._reader.position, fingerprints)
        yield News([], reset)

    def _take(self, entries: list[Entry]) -> News:
        steps, position = [], self._reader.position
        for entry in entries:
            index, position = position.index, position.after(entry.fingerprint)
            steps.append(Step(entry, index, position))
        self._reader.position = position
        return News(steps)

    def _remember_bytes(self, length: int, rest: bytes) -> None:
        """Remember how far the body was read in bytes, whose digest is at hand; 0 where that is not known."""
        prefix, self._reader.rest = (self._hash.digest(), rest) if length else (b"", b"")
        self._reader.position = msgspec.structs.replace(self._reader.position, length=length, prefix=prefix)


def _slices_of(body: bytes) -> Iterator[tuple[list[Entry], int]]:
    head = _HEAD.match(body)
    if head is None:
        return iter([(decode_entries(body), UNKNOWN)])
    return entries_from(body, head.end())


def _after_comma(rest: bytes) -> int:
    """Return where the first new entry begins: behind the comma, where there is one."""
    stripped = rest.lstrip()
    return len(rest) - len(stripped) + 1 if stripped.startswith(b",") else 0
