"""Room for the bytes of logs that are read and not handed out yet: bounded for each client."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Final
from weakref import finalize, ref

from nexus_async.config import MAX_BUFFERED_BYTES

if TYPE_CHECKING:
    from typing import Protocol
    from weakref import ReferenceType

    class Holder(Protocol):
        """Who holds bytes of a share."""

        def let_go(self) -> None:
            """Let go of what is held: it can be asked for again."""


UNKNOWN_BODY: Final = 2 << 20
"""Bytes that are set aside for a body of unknown length: as much as waits in a connection until it is read."""
SMALL_BODY: Final = 64 << 10
"""Bytes that are set aside for what is new in a log that was read before."""


class Room:
    """Give shares of `limit` bytes to those that read bodies.

    A body of unknown length is begun only while less than half is taken, so that those begun find room to the
    end; one above the limit is read alone. Where there is no room, who rests lets go first. The eldest share of
    all that wait may always grow.
    """

    def __init__(self, limit: int = MAX_BUFFERED_BYTES) -> None:
        self._limit = limit
        self._taken: dict[Share, None] = {}
        self._waiting: deque[_Wait] = deque()
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

    def has_room(self, share: Share, size: int) -> bool:
        """Tell whether a share may grow to `size` bytes at once: nobody who waits for room comes first."""
        is_behind = any(wait.share.held for wait in self._waiting) if share.held else bool(self._waiting)
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
        wait = _Wait(share, size)
        self._waiting.append(wait)
        self._wake()
        try:
            await wait.granted
        finally:
            if wait in self._waiting:
                self._waiting.remove(wait)
                self._wake()

    def _wake(self) -> None:
        """Give those that wait what there is: those that grow first, then those that begin."""
        while self._waiting:
            wait = min(self._waiting, key=self._rank)
            has_right = self._is_eldest(wait.share)  # or all that hold something might wait for each other
            if not (has_right or self._fits(wait.share, wait.size) or self._free_for(wait)):
                return
            self._waiting.remove(wait)
            self._take(wait.share, wait.size)
            if not wait.granted.done():
                wait.granted.set_result(None)

    def _rank(self, wait: _Wait) -> int:
        return 0 if self._is_eldest(wait.share) else 1 if wait.share.held else 2

    def _is_eldest(self, share: Share) -> bool:
        return share.held > 0 and next(iter(self._taken), None) is share

    def _free_for(self, wait: _Wait) -> bool:
        """Let those that rest let go, one by one, until there is room; tell whether there is."""
        for share in list(self._taken):
            if share.is_resting and share is not wait.share:
                share.let_go()
                if self._fits(wait.share, wait.size):
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
        self._room._take(self, size)  # noqa: SLF001 - its half
        if self._room._waiting:  # noqa: SLF001 - its half
            self._room._wake()  # noqa: SLF001 - its half

    def leave(self) -> None:
        """Give back all of it. A second time does nothing."""
        if self.held:
            self.resize(0)

    def let_go(self) -> None:
        """Tell the holder to let go of what it holds, and give it back."""
        holder = None if self._holder is None else self._holder()
        if holder is not None:
            holder.let_go()
        self._room._take(self, 0)  # noqa: SLF001 - its half


class _Wait:
    __slots__ = ("granted", "share", "size")

    def __init__(self, share: Share, size: int) -> None:
        self.share = share
        self.size = size
        self.granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
