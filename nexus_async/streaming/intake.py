"""Taking a log's body in only as far as there is room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.config import MAX_RESPONSE_BYTES

if TYPE_CHECKING:
    from nexus_async.logs import Reading
    from nexus_async.streaming.room import Share

INFLATION: Final = 12
"""How many bytes one of a compressed log may stand for: JSON lines shrink to a tenth or so."""
TRIFLE: Final = 4096
"""Bytes of a body that are not counted: most polls bring no more."""


class NoRoomError(Exception):
    """Tell that there is no room for a body at the moment. It never leaves this package."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
        """Bytes that the share would have to have."""


class Intake:
    """Hand a body on to a `Reading`, and break off where more of it is kept than there is room for.

    To wait within a request would hold a place in flight, a connection and what it has buffered. `base` bytes of
    the share are taken by something else. `known` bytes of the body were read before, and are let go once they
    prove to be the same.
    """

    __slots__ = ("_base", "_fed", "_inflation", "_known", "_reading", "_share", "if_none_match")

    def __init__(self, reading: Reading, share: Share, *, base: int, known: int) -> None:
        self._reading = reading
        self._share = share
        self._base = base
        self._known = known + TRIFLE
        self._fed = 0
        self._inflation = 1
        self.if_none_match = reading.if_none_match
        """What to ask with, so that an unchanged body is left out."""

    @property
    def fed(self) -> int:
        """Return the bytes that came, as they are coded."""
        return self._fed

    @property
    def kept(self) -> int:
        """Return the bytes kept that count; of a compressed body about what they will be inflated."""
        return max(0, self._fed * self._inflation - self._known)

    def begin(
        self,
        *,
        etag: str | None,
        coding: str,
        left_out: bool,
        length: int | None,
        limit: int = MAX_RESPONSE_BYTES,
    ) -> None:
        """Take the head of the answer in. Raises `NoRoomError` where there is none for its body."""
        self._reading.begin(etag=etag, coding=coding, left_out=left_out, limit=limit)
        if coding != "identity":
            self._known, self._inflation = TRIFLE, INFLATION
        if not left_out and length is not None:
            self._grow(length * self._inflation - self._known)

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes in. Raises `NoRoomError` where there is none for them."""
        self._fed += len(chunk)
        self._grow(self._fed * self._inflation - self._known)
        self._reading.feed(chunk)

    def _grow(self, size: int) -> None:
        size += self._base
        if size <= self._share.held:
            return
        if not self._share.has_room(size):
            raise NoRoomError(size)
        self._share.resize(size)
