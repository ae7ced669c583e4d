"""What one subscriber of a hub gets: a buffer of its own, and an end where it is too slow."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

from nexus_async.events import Event, RunEvent
from nexus_async.streaming.feed.buffer import Buffer
from nexus_async.streaming.hub.ring import Told, lagged_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType


class Subscription(AsyncIterator[Event]):
    """Yield the events of a hub. Made by `hub.subscribe`.

    It is subscribed from then on, not only once it is asked for an event, until it is closed, the feed ends, or
    it is too slow: then `Lagged` is its last event. An `anext` that is cancelled loses nothing. What ended the
    feed is raised, after all that was read before.
    """

    def __init__(
        self,
        run_id: str | None,
        *,
        after: str | None,
        replay: Iterable[Told],
        buffer: int,
        on_close: Callable[[Subscription], None],
    ) -> None:
        self._run_id = run_id
        self._replay = deque(told for told in replay if self._concerns(told.event))
        self._live: Buffer[Told] = Buffer(buffer)
        self._size = buffer
        self._on_close = on_close
        places = (told.place for told in reversed(self._replay))
        self._place = next((place for place in places if place is not None), after)
        self._is_waiting = False
        self._is_closed = False
        self.is_cut = False
        """Whether it was too slow: then it ends with `Lagged`."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        return (await self.next_told()).event

    async def aclose(self) -> None:
        """End it. What was not asked for yet is dropped."""
        self._is_closed = True
        self._on_close(self)
        self._live.close()

    def offer(self, told: Told) -> None:
        """Take an event in, unless it concerns another run. Where there is no room, cut the subscriber off."""
        if not self._concerns(told.event):
            return
        self.is_cut = len(self._live) >= self._size
        if self.is_cut:
            self._live.push(lagged_after(self._place))
            self._live.close()
        else:
            self._live.push(told)
            self._place = told.place

    def end(self, failure: BaseException | None) -> None:
        """Take nothing more in, and end with the failure once all is handed out."""
        self._live.close(failure)

    async def next_told(self) -> Told:
        """Wait for the next event, with the bytes that all share."""
        if self._is_waiting:
            raise RuntimeError("this subscription is already waiting for its next event")
        if self._is_closed:
            raise StopAsyncIteration
        if self._replay:
            return self._replay.popleft()
        self._is_waiting = True
        try:
            return await self._live.get()
        finally:
            self._is_waiting = False

    async def all_told(self) -> list[Told]:
        """Return what is there to be told, without waiting for more. Raises as `next_told` does at the end."""
        count = len(self._replay) + len(self._live)
        return [await self.next_told() for _ in range(count)]

    def _concerns(self, event: Event) -> bool:
        return self._run_id is None or not isinstance(event, RunEvent) or event.run_id == self._run_id
