"""One feed for many subscribers, none of whom slows it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

from nexus_async.config import positive, positive_count
from nexus_async.errors import ConfigurationError
from nexus_async.models.run import check_run_id
from nexus_async.streaming.hub.message import END, HEARTBEAT, OPENING
from nexus_async.streaming.hub.ring import HubStats, Ring, lagged_after
from nexus_async.streaming.hub.subscription import Subscription

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable
    from types import TracebackType

    from nexus_async.events import Event

REPLAY: Final = 1_000
"""Events that are kept for those who were away: as many as a feed reads ahead."""
SUBSCRIBER_BUFFER: Final = 256
"""Events that a subscriber may be behind: some seconds of a busy feed."""
HEARTBEAT_INTERVAL: Final = 15.0
"""Seconds of silence before a comment is sent: proxies close what is silent for a minute."""


class Hub:
    """Give the events of a feed to any number of subscribers, each with a bounded buffer. Made by `feed.hub`.

    ```python
    async with project.runs.watch() as feed, feed.hub(replay=1000) as hub:
        async for event in hub.subscribe(): print(event)
    ```

    It consumes the feed as fast as that goes, whoever is subscribed: a subscriber that falls behind by more than
    its buffer is told `Lagged` and cut, and may subscribe anew after the last event that it got. An event counts
    as handled once it is taken in here; whoever must handle each event before it counts uses the feed itself.

    When the feed ends, so do its subscribers, after all that came before; what ended it is raised by each.
    Leaving `async with` ends them too, and leaves the feed as it is.
    """

    def __init__(
        self,
        events: AsyncIterator[Event],
        *,
        replay: int = REPLAY,
        handled: Callable[[Event], None] | None = None,
    ) -> None:
        if isinstance(replay, bool) or not isinstance(replay, int) or replay < 0:
            raise ConfigurationError(f"replay={replay!r} is no count of events: pass 0 or more")
        self._events = events
        self._handled = handled
        self._ring = Ring(replay)
        self._subscriptions: set[Subscription] = set()
        self._cut = 0
        self._pump: asyncio.Task[None] | None = None
        self._is_over = False
        self._has_ended = False
        self._failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        if self._pump is not None:
            raise RuntimeError("a hub is entered once: make a new one by feed.hub()")
        self._pump = asyncio.create_task(self._take_all(), name="hub")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End every subscription. The feed goes on, for whoever asks it."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
        self._end(None)

    async def wait(self) -> None:
        """Wait until the feed has ended. Raises what ended it."""
        if self._pump is None:
            raise RuntimeError("a hub is used inside `async with`")
        await asyncio.wait([self._pump])
        if self._failure is not None:
            raise self._failure

    def subscribe(
        self, run_id: str | None = None, *, after: str | None = None, buffer: int = SUBSCRIBER_BUFFER
    ) -> Subscription:
        """Return what yields the events from now on, those that are still held for a replay first.

        With `run_id` they are those of that run, and those of no run, such as `Disconnected`. `after` is a place
        in this hub (`lagged.after`, `hub.place`, the `id` of a server-sent event) or the `id` of an event: what
        came after it is yielded. Where that is not held any more, `Lagged` tells so, and all that is held
        follows. `buffer` is how many events it may be behind.

        Raises `InvalidArgumentError` for what is no run's ID, `ConfigurationError` for what is no size.
        """
        if run_id is not None:
            check_run_id(run_id)
        replay = self._ring.since(after)
        subscription = Subscription(
            run_id,
            after=after,
            replay=[lagged_after(after), *self._ring.held] if replay is None else replay,
            buffer=positive_count("buffer", buffer),
            on_close=self._subscriptions.discard,
        )
        if self._is_over:
            subscription.end(self._failure)
        else:
            self._subscriptions.add(subscription)
        return subscription

    def sse(
        self,
        run_id: str | None = None,
        *,
        after: str | None = None,
        buffer: int = SUBSCRIBER_BUFFER,
        max_wait: float = 0.0,
        heartbeat: float = HEARTBEAT_INTERVAL,
    ) -> AsyncGenerator[bytes, None]:
        """Yield server-sent events, as bytes to be sent as they are with the type `text/event-stream`.

        `after` is the request's header `Last-Event-ID`; it and the others are those of `subscribe`. Each event is
        encoded once, for all. With `max_wait`, what comes within so many seconds is one chunk: many pages then
        cost less. After `heartbeat` seconds of silence a comment is sent. At the end of the feed an event named
        `end` tells the browser to close its `EventSource`, which would else connect again for ever.
        """
        positive("heartbeat", heartbeat)
        if max_wait:
            positive("max_wait", max_wait)
        return self._messages(self.subscribe(run_id, after=after, buffer=buffer), heartbeat, max_wait)

    @property
    def place(self) -> str:
        """Return where the hub is now: `subscribe(after=hub.place)` leaves out all that was."""
        return self._ring.place

    def holds(self, after: str) -> bool:
        """Tell whether all that came after a place or an event's `id` can still be told."""
        return self._ring.since(after) is not None

    def stats(self) -> HubStats:
        """Return how many there are: subscribers, those that were cut, events."""
        return HubStats(
            subscribers=len(self._subscriptions), cut=self._cut, events=self._ring.count, held=len(self._ring)
        )

    async def _take_all(self) -> None:
        try:
            async for event in self._events:
                self._take(event)
                await asyncio.sleep(0)  # what was read ahead comes at once: subscribers want their turns between
        except Exception as failure:  # noqa: BLE001 - it is raised to the subscribers
            self._end(failure)
        else:
            self._has_ended = True
            self._end(None)

    def _take(self, event: Event) -> None:
        told = self._ring.add(event)
        if self._handled is not None:
            self._handled(event)
        for subscription in self._subscriptions:
            subscription.offer(told)
        too_slow = [each for each in self._subscriptions if each.is_cut]
        self._subscriptions.difference_update(too_slow)
        self._cut += len(too_slow)

    def _end(self, failure: BaseException | None) -> None:
        if self._is_over:
            return
        self._is_over, self._failure = True, failure
        for subscription in self._subscriptions:
            subscription.end(failure)
        self._subscriptions.clear()

    async def _messages(
        self, subscription: Subscription, heartbeat: float, max_wait: float
    ) -> AsyncGenerator[bytes, None]:
        async with subscription:
            yield OPENING
            with suppress(StopAsyncIteration):
                while True:
                    yield await _chunk(subscription, heartbeat, max_wait)
            if self._has_ended and not subscription.is_cut:  # else the browser is to come again
                yield END


async def _chunk(subscription: Subscription, heartbeat: float, max_wait: float) -> bytes:
    """Wait for the next event, or for so long that a sign of life is due."""
    try:
        async with asyncio.timeout(heartbeat):
            first = await subscription.next_told()
    except TimeoutError:
        return HEARTBEAT
    if not max_wait:
        return first.message
    await asyncio.sleep(max_wait)
    return b"".join(told.message for told in (first, *await subscription.all_told()))
