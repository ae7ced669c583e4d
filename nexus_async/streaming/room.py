"""Room for the bytes of logs that are read and not handed out yet: bounded for each client."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from weakref import finalize, ref

from nexus_async.config import MAX_BUFFERED_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Protocol
    from weakref import ReferenceType

    class Holder(Protocol):
        """Who holds bytes of a share."""

        def let_go(self) -> None:
            """Let go of what is held: it can be asked for again."""


UNKNOWN_BODY: Final = 2 << 20
"""Bytes that are set aside for a body of unknown length: as much as waits in a connection until it is read."""
SMALL_BODY: Final = 64 << 10
"""Bytes that are little: what is new in a log that was read before finds room for them to the very limit."""


class Room:
    """Give shares of `limit` bytes to those that read bodies.

    A body of unknown length is begun only while less than half is taken, so that those begun find room to the
    end; one above the limit is read alone. Where there is no room, who rests lets go first. The eldest share of
    all that wait may always grow.
    """

    def __init__(self, limit: int = MAX_BUFFERED_BYTES) -> None:
        self._limit = limit
        self._taken: OrderedDict[Share, None] = OrderedDict()
        self._growing: OrderedDict[Share, _Wait] = OrderedDict()
        self._beginning: OrderedDict[Share, _Wait] = OrderedDict()
        self.used = 0
        """Bytes that are taken."""
        self.most = 0
        """The most that ever were."""

    def share(self, holder: Holder | None = None) -> Share:
        """Return a share, of nothing yet.

        `holder` is told to let go of it while it rests and others wait; when it is forgotten, the share is given
        back.
        """
        return Share(self, holder)

    @property
    def is_open(self) -> bool:
        """Tell whether one more body of unknown length may begin at once."""
        if not self.used:
            return not self._beginning
        return not (self._growing or self._beginning) and self.used + UNKNOWN_BODY <= self._limit // 2

    async def opening(self) -> None:
        """Wait until one more body of unknown length may begin, behind those that wait already."""
        share = self.share()
        try:
            await share.hold(UNKNOWN_BODY)
        finally:
            share.leave()

    def has_room(self, share: Share, size: int) -> bool:
        """Tell whether a share may grow to `size` bytes at once: nobody who waits for room comes first."""
        is_behind = self._growing or (self._beginning and not share.held)
        return not is_behind and self._fits(share, size)

    def _fits(self, share: Share, size: int) -> bool:
        others = self.used - share.held
        begins_unknown = not share.held and size > SMALL_BODY
        limit = self._limit // 2 if begins_unknown else self._limit
        return others + size <= limit or not others

    def _take(self, share: Share, size: int) -> None:
        self.used += size - share.held
        self.most = max(self.most, self.used)
        share.held = size
        if size:
            self._taken[share] = None
        else:
            self._taken.pop(share, None)

    async def _wait(self, share: Share, size: int) -> None:
        waiting = self._growing if share.held else self._beginning
        wait = waiting[share] = _Wait(size)
        self._wake()
        try:
            await wait.granted
        finally:
            if waiting.get(share) is wait:
                del waiting[share]
                self._wake()

    def _wake(self) -> None:
        """Give those that wait what there is: those that grow first, then those that begin."""
        while waiting := self._growing or self._beginning:
            share = self._first_of(waiting)
            wait = waiting[share]
            if not (self._has_right(share) or self._fits(share, wait.size) or self._free_for(share, wait.size)):
                return
            del waiting[share]
            self._take(share, wait.size)
            if not wait.granted.done():
                wait.granted.set_result(None)

    def _first_of(self, waiting: OrderedDict[Share, _Wait]) -> Share:
        eldest = next(iter(self._taken), None)
        return eldest if eldest is not None and eldest in waiting else next(iter(waiting))

    def _has_right(self, share: Share) -> bool:
        """Tell whether a share may grow in any case, or all that hold something might wait for each other."""
        return share is next(iter(self._taken), None)

    def _free_for(self, share: Share, size: int) -> bool:
        """Let those that rest let go, one by one, until there is room; tell whether there is."""
        for other in list(self._taken):
            if other.is_resting and other is not share:
                other.let_go()
                if self._fits(share, size):
                    return True
        return False


class Share:
    """So many bytes of a room."""

    __slots__ = ("_holder", "_room", "held", "is_resting")

    def __init__(self, room: Room, holder: Holder | None) -> None:
        self._room = room
        self._holder: ReferenceType[Holder] | None = None
        if holder is not None:
            self._holder = ref(holder)
            finalize(holder, self.leave).atexit = False
        self.held = 0
        """Bytes that are taken."""
        self.is_resting = False
        """Whether its holder would let go where others wait: it does not read at the moment."""

    def has_room(self, size: int) -> bool:
        """Tell whether `hold` would not wait."""
        return size <= self.held or self._room.has_room(self, size)

    async def hold(self, size: int) -> None:
        """Take `size` bytes in all; wait for room where that is more. Cancelling takes no more than before."""
        if self.has_room(size):
            self.resize(size)
        else:
            await self._room._wait(self, size)  # noqa: SLF001 - its half

    def resize(self, size: int) -> None:
        """Take `size` bytes in all, for which there is room."""
        if size == self.held:
            return
        self._room._take(self, size)  # noqa: SLF001 - its half
        self._room._wake()  # noqa: SLF001 - its half

    def leave(self) -> None:
        """Give back all of it. A second time does nothing."""
        if self.held:
            self.resize(0)

    @contextmanager
    def resting(self, holder: Holder) -> Iterator[None]:
        """Let `holder` let go of what it holds where others wait, for as long as the block lasts."""
        self._holder, self.is_resting = ref(holder), True
        self._room._wake()  # noqa: SLF001 - its half
        try:
            yield
        finally:
            self.is_resting = False

    def let_go(self) -> None:
        """Tell the holder to let go of what it holds, and give it back."""
        holder = None if self._holder is None else self._holder()
        if holder is not None:
            holder.let_go()
        self._room._take(self, 0)  # noqa: SLF001 - its half


class _Wait:
    __slots__ = ("granted", "size")

    def __init__(self, size: int) -> None:
        self.size = size
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
