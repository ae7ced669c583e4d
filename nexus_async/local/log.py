"""A run's log as the bytes of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_END = b"]}"


class RunLog:
    """Keep a log as the encoded body of its answer, which only grows.

    Serving it encodes nothing: the entries were encoded once, when they were written.
    """

    __slots__ = ("_body", "entries", "id")

    def __init__(self, log_id: str) -> None:
        self.id = log_id
        """The log's ID."""
        self.entries = 0
        """How many entries it has."""
        self._body = bytearray(b'{"id":"%b","logs":[' % log_id.encode())

    def append(self, entry: bytes) -> None:
        """Write one entry, as it is."""
        if self.entries:
            self._body += b","
        self._body += entry
        self.entries += 1

    @property
    def size(self) -> int:
        """The answer's length in bytes."""
        return len(self._body) + len(_END)

    def body(self) -> bytes:
        """Copy the whole answer."""
        return b"".join((self._body, _END))

    def slices(self, length: int) -> Iterator[bytes]:
        """Yield the answer as it is now in pieces of `length` bytes, however it grows meanwhile."""
        end = len(self._body)
        for start in range(0, end, length):
            yield bytes(memoryview(self._body)[start : min(start + length, end)])
        yield _END
