"""What a page begins with, in step with the hub that it goes on with."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from nexus_async.dashboard.board import Board
from nexus_async.dashboard.page import encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.streaming import Hub

BUFFER: Final = 10_000
"""Events that the board may be behind the hub: it takes each in at once, so it never is."""


class State:
    """Keep a board of what the hub tells, and the place up to which it is told."""

    def __init__(self, hub: Hub, clock: Callable[[], float]) -> None:
        self.hub = hub
        self.now = clock
        """Gives the seconds since the Unix epoch."""
        self.place = hub.place
        """Up to where the board is: what comes after it is for the hub to tell."""
        self.board = Board(clock)
        self._snapshot: bytes | None = None
        self._subscription = hub.subscribe(after=hub.place, buffer=BUFFER)

    async def fill(self) -> None:
        """Take in what the hub tells, to its end. Raises what ended the feed."""
        with suppress(StopAsyncIteration):
            while True:
                told = await self._subscription.next_told()
                self.board.take(told.event)
                self.place, self._snapshot = told.place or self.place, None

    def snapshot(self) -> bytes:
        """Return all that is known as a server-sent event, encoded once for all who come between two events."""
        if self._snapshot is None:
            self._snapshot = f"id: {self.place}\n".encode() + message("snapshot", self.board.written())
        return self._snapshot


def message(name: str, data: object) -> bytes:
    """Write a server-sent event of the dashboard's own."""
    return b"event: " + name.encode() + b"\ndata: " + encoded(data) + b"\n\n"
