"""Taking a log's body in only as far as there is room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from nexus_async.logs import Reading
    from nexus_async.streaming.room import Share

INFLATION: Final = 12
"""How many bytes one of a compressed log may stand for: JSON lines shrink to a tenth or so."""


class Intake:
    """Hand a body on to a `Reading`, and wait for room where more of it is kept than the share has.

    `base` bytes of the share are taken by something else. `known` bytes of the body were read before, and are let
    go once they prove to be the same.
    """

    def __init__(self, reading: Reading, share: Share, *, base: int, known: int) -> None:
        self._reading = reading
        self._share = share
        self._base = base
        self._known = known
        self._fed = 0
        self._inflation = 1
        self.if_none_match = reading.if_none_match
        """What to ask with, so that an unchanged body is left out."""

    @property
    def kept(self) -> int:
        """Return the bytes that are kept of the body; of a compressed one about what they will be inflated."""
        return max(0, self._fed * self._inflation - self._known)

    def begin(
        self, *, etag: str | None, coding: str, left_out: bool, length: int | None
    ) -> Awaitable[None] | None:
        """Take the head of the answer in; return what to wait for until there is room for its body."""
        self._reading.begin(etag=etag, coding=coding, left_out=left_out)
        if coding != "identity":
            self._known, self._inflation = 0, INFLATION
        if left_out or length is None:
            return None
        return self._hold(length * self._inflation - self._known)

    def feed(self, chunk: bytes) -> Awaitable[None] | None:
        """Take the next bytes in; return what to wait for before more of them."""
        self._reading.feed(chunk)
        self._fed += len(chunk)
        return self._hold(self.kept)

    def _hold(self, size: int) -> Awaitable[None] | None:
        return self._share.hold(self._base + size) if self._base + size > self._share.held else None
