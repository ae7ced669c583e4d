"""A sink that keeps the pieces it is given."""

from __future__ import annotations


class Pieces:
    def __init__(self, if_none_match: str | None = None) -> None:
        self.if_none_match = if_none_match
        self.kept: list[bytes] = []
        self.head: dict[str, object] = {}

    def begin(self, **head: object) -> None:
        self.head = head

    def feed(self, chunk: bytes) -> None:
        self.kept.append(chunk)
