"""Who waits for a turn, and who of them is next, without I/O."""

from __future__ import annotations

from collections import OrderedDict
from enum import Enum
from itertools import count
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class Kind(Enum):
    """Say what a request is for, and so whom it lets go before it."""

    CALL = "call"
    """A user waits for it: it overtakes all else, and has a place in flight of its own."""
    POLL = "poll"
    """A status or a list, asked for by a stream or a feed."""
    LOG = "log"
    """A whole log, which waits also for the bytes that came to be paid for."""


CALL: Final = Kind.CALL  # an enum is slow at looking its members up before Python 3.12
LOG: Final = Kind.LOG


class Waiting(Generic[T]):
    """Hold those who wait: each kind in its order, calls before all else.

    Polls and logs are one line, out of which polls step forward while logs wait for bytes.
    """

    __slots__ = ("_count", "_lines", "_numbers")

    def __init__(self) -> None:
        self._numbers = count()
        self._count = 0
        self._lines: dict[Kind, OrderedDict[asyncio.Future[T], int]] = {kind: OrderedDict() for kind in Kind}

    def __len__(self) -> int:
        return self._count

    def add(self, kind: Kind, waiter: asyncio.Future[T]) -> None:
        """Let one more wait, behind all of its kind."""
        self._lines[kind][waiter] = next(self._numbers)
        self._count += 1

    def discard(self, kind: Kind, waiter: asyncio.Future[T]) -> None:
        """Let one wait no longer."""
        if self._lines[kind].pop(waiter, None) is not None:
            self._count -= 1

    def pop(self, kind: Kind) -> asyncio.Future[T]:
        """Return the first of a kind, who waits no longer."""
        self._count -= 1
        return self._lines[kind].popitem(last=False)[0]

    def next(self, *, is_paid: bool) -> Kind | None:
        """Return whose turn it is; None where nobody waits. `is_paid` tells that no log has to wait for bytes."""
        calls, polls, logs = self._lines.values()
        if calls:
            return Kind.CALL
        if not polls or not logs:
            return Kind.POLL if polls else Kind.LOG if logs else None
        first = next(iter(polls.values())) < next(iter(logs.values()))
        return Kind.POLL if first or not is_paid else Kind.LOG

    def is_free(self, kind: Kind, *, is_paid: bool) -> bool:
        """Tell whether nobody waits whom that kind has to let go first."""
        calls, polls, logs = self._lines.values()
        if calls or kind is CALL:
            return not calls
        return not polls and (not logs or (kind is Kind.POLL and not is_paid))
