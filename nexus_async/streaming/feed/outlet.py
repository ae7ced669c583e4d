"""Where what is told of runs goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nexus_async.events import Event


class Outlet(Protocol):
    """Take events in, at the consumer's pace."""

    async def emit(self, event: Event, /) -> None:
        """Take an event; wait until there is room for it."""

    def push(self, event: Event, /) -> None:
        """Take an event at once, whether there is room for it or not."""

    def pass_over(self, run_id: str, cursor: str, /) -> None:
        """Take that everything of a run up to `cursor` was held back."""

    @property
    def is_full(self) -> bool:
        """Tell whether `emit` would wait."""

    async def room(self) -> None:
        """Wait until there is room."""
