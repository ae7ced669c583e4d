"""The last events of a feed, kept for those who were away."""

from __future__ import annotations

from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from nexus_async.events import Lagged
from nexus_async.streaming.hub.message import message_of, quoted

if TYPE_CHECKING:
    from nexus_async.events import Event


class HubStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell how a hub is doing."""

    subscribers: int
    """Those who get events now."""
    cut: int
    """Those who were too slow so far."""
    events: int
    """Events that were taken in so far."""
    held: int
    """Those of them that can be replayed."""


class Told:
    """Hold an event, and once it is asked for the bytes that all subscribers share."""

    def __init__(self, event: Event) -> None:
        self.event = event

    @cached_property
    def message(self) -> bytes:
        """Return the event as a server-sent one."""
        return message_of(self.event)


def lagged_after(event_id: str | None) -> Told:
    """Tell that what came after an event was missed."""
    return Told(Lagged(id=f"{event_id or ''}:lagged", after=event_id))


class Ring:
    """Hold the last `size` events."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._told: deque[Told] = deque(maxlen=size)
        self._places: dict[str, int] = {}
        self.count = 0
        """How many were taken in so far."""
        self.last_id: str | None = None
        """The `id` of the last one."""

    def __len__(self) -> int:
        return len(self._told)

    @property
    def held(self) -> list[Told]:
        """Return those that are held, oldest first."""
        return list(self._told)

    def add(self, told: Told) -> None:
        """Take an event in, and let go of the oldest where it is full."""
        if self._told and len(self._told) == self._size:
            self._forget(quoted(self._told[0].event.id), self.count - self._size)
        self._told.append(told)
        if self._size:
            self._places[quoted(told.event.id)] = self.count
        self.count += 1
        self.last_id = told.event.id

    def since(self, event_id: str | None) -> list[Told] | None:
        """Return what came after an event, for None all that is held. None where that event is not held.

        The ID may be as it is, or as `quoted` writes it.
        """
        if event_id is None:
            return self.held
        if self.last_id is not None and event_id in {self.last_id, quoted(self.last_id)}:
            return []
        place = self._places.get(quoted(event_id), self._places.get(event_id))
        if place is None:
            return None
        return self.held[place + 1 - self.count :]

    def _forget(self, event_id: str, place: int) -> None:
        if self._places.get(event_id) == place:  # else the same was told anew since
            del self._places[event_id]
