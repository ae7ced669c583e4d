"""What was read and is not handed out yet: bounded, in order, and nothing is dropped."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

T = TypeVar("T")


class Buffer(Generic[T]):
    """Pass items from many that read to one that consumes.

    `size` is how many are held; who puts one more waits until half of them are gone, so that a slow consumer
    wakes nobody for nothing. It belongs to one loop.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[T] = deque()
        self._wanted: asyncio.Future[None] | None = None
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._putting = 0
        self._turn = asyncio.Lock()
        self._closed = False
        self._failure: BaseException | None = None

    def __iter__(self) -> Iterator[T]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    @property
    def is_full(self) -> bool:
        """Tell whether `room` would wait."""
        return not self._has_room.is_set()

    async def put(self, item: T) -> None:
        """Add an item; wait until there is room for it, behind those that wait already."""
        if not self._putting and len(self._items) < self._size:
            self.push(item)
            return
        self._putting += 1
        try:
            async with self._turn:
                while len(self._items) >= self._size:
                    await self._has_room.wait()
                self.push(item)
        finally:
            self._putting -= 1

    def push(self, item: T) -> None:
        """Add an item, over the bound if need be: for what takes no room worth waiting for."""
        self._items.append(item)
        if len(self._items) >= self._size:
            self._has_room.clear()
        self._wake()

    async def room(self) -> None:
        """Wait until there is room. It may be gone when the caller's turn comes."""
        await self._has_room.wait()

    async def get(self) -> T:
        """Take the oldest item; wait for one. Cancelling loses none.

        At the end raise `StopAsyncIteration`, or the failure that the buffer was closed with.
        """
        while not self._items:
            if self._closed:
                raise StopAsyncIteration if self._failure is None else self._failure
            self._wanted = asyncio.get_running_loop().create_future()
            try:
                await self._wanted
            finally:
                self._wanted = None
        item = self._items.popleft()
        if 2 * len(self._items) < max(2, self._size):
            self._has_room.set()
        return item

    def put_back(self, items: Sequence[T]) -> None:
        """Give back what was taken last, to be taken again in the same order."""
        self._items.extendleft(reversed(items))
        if len(self._items) >= self._size:
            self._has_room.clear()

    def close(self, failure: BaseException | None = None) -> None:
        """Take nothing more in: `get` gives what is left, then ends. The first time counts."""
        if not self._closed:
            self._closed, self._failure = True, failure
            self._wake()

    def _wake(self) -> None:
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)
