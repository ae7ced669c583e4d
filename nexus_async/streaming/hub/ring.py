"""The last events of a feed, kept for those who were away."""

from __future__ import annotations

import secrets
from collections import deque
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from nexus_async.events import Lagged
from nexus_async.streaming.hub.message import message_of

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
    """Hold an event, its place, and once they are asked for the bytes that all subscribers share."""

    def __init__(self, event: Event, place: str | None) -> None:
        self.event = event
        self.place = place
        """What resumes after it in this hub; None for `Lagged`."""

    @cached_property
    def message(self) -> bytes:
        """Return the event as a server-sent one."""
        return message_of(self.event, self.place)


def lagged_after(place: str | None) -> Told:
    """Tell that what came after a place was missed."""
    return Told(Lagged(id=f"{place or ''}:lagged", after=place), None)


class Ring:
    """Hold the last `size` events.

    Each has a place, `{name}-{number}`. The name is this ring's alone: another process may tell the same events
    in another order, and what came after one of them there says nothing of what came after it here.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._name = secrets.token_hex(4)
        self._told: deque[Told] = deque(maxlen=size)
        self._numbers: dict[str, int] = {}
        self.count = 0
        """How many were taken in so far."""

    def __len__(self) -> int:
        return len(self._told)

    @property
    def held(self) -> list[Told]:
        """Return those that are held, oldest first."""
        return list(self._told)

    @property
    def place(self) -> str:
        """Return the place of the last event, or the one before the first."""
        return f"{self._name}-{self.count}"

    def add(self, event: Event) -> Told:
        """Take an event in, and let go of the oldest where it is full."""
        if self._told and len(self._told) == self._size:
            self._forget(self._told[0].event.id, self.count - self._size + 1)
        self.count += 1
        told = Told(event, self.place)
        self._told.append(told)
        if self._size:
            self._numbers[event.id] = self.count
        return told

    def since(self, after: str | None) -> list[Told] | None:
        """Return what came after a place or an event's ID, for None all that is held. None where that is gone."""
        if after is None:
            return self.held
        number = self._number_of(after)
        missed = self.count - number
        return self.held[len(self) - missed :] if number >= 0 and 0 <= missed <= len(self) else None

    def _number_of(self, after: str) -> int:
        name, _, number = after.rpartition("-")
        if name == self._name and number.isascii() and number.isdecimal():
            return int(number[:19])
        return self._numbers.get(after, -1)

    def _forget(self, event_id: str, number: int) -> None:
        if self._numbers.get(event_id) == number:  # else the same was told anew since
            del self._numbers[event_id]
