"""What a body brought and was not taken yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.logs import News


class Unread:
    """Give the slices of a body one by one. It may be let go of: what is left has to be asked for again."""

    __slots__ = ("__weakref__", "_slices", "is_cut")

    def __init__(self, slices: Iterator[News]) -> None:
        self._slices = slices
        self.is_cut = False
        """Whether it was let go of before all of it was taken."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> News:
        return next(self._slices)

    def let_go(self) -> None:
        """Drop what is left, for others that wait for room."""
        self._slices, self.is_cut = iter(()), True
