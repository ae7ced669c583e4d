"""Events of many runs as one asynchronous iterator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Self

from nexus_async.config import positive, positive_count
from nexus_async.errors import InvalidArgumentError
from nexus_async.events import CaughtUp, Event, RunEvent
from nexus_async.models.run import check_run_id
from nexus_async.streaming.feed.buffer import Buffer
from nexus_async.streaming.feed.engine import Engine
from nexus_async.streaming.feed.keeper import Keeper
from nexus_async.streaming.hub.hub import REPLAY, Hub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from nexus_async.streaming.feed.engine import Watchable
    from nexus_async.streaming.feed.stats import FeedStats
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.stores.store import Store


class _HeldBack(NamedTuple):
    """Everything of a run up to `cursor`, which a filter held back."""

    run_id: str
    cursor: str


class Feed(AsyncIterator[Event]):
    """Yield what happens to many runs. Made by `runs.watch` and `nexus_async.watch`.

    ```python
    async with project.runs.watch() as feed:
        async for event in feed:
            match event:
                case Checkpoint(): print(event.run_id, event.step, event.metrics)
                case RunEnded(): print(event.run_id, event.outcome)
    ```

    `async with` begins and ends it, in whichever tasks. Inside, it reads ahead by as much as its buffer holds,
    and not further: who consumes slowly is polled for slowly, and nothing is dropped. An `anext` that is
    cancelled loses nothing. What ends a feed is raised by `anext`, after all that was read before was handed out:
    a project's refusal where no project is left, a store that another process took over.
    """

    def __init__(
        self,
        watchables: Iterable[Watchable],
        *,
        run_ids: Iterable[str] | None = None,
        cursors: Iterable[str] = (),
        store: Store | None = None,
        terms: Terms,
    ) -> None:
        self._buffer: Buffer[Event | _HeldBack] = Buffer(terms.buffer)
        self._terms = terms
        self._keeper = Keeper(store, cursors)
        self._engine = Engine(watchables, run_ids=run_ids, terms=terms, outlet=self, on_change=self._note_change)
        self._owner: asyncio.Task[None] | None = None
        self._handed_out: list[RunEvent] = []
        self._is_caught_up = not terms.caught_up
        self._is_waiting = False
        self._is_closed = False
        self._closing = asyncio.Lock()

    def __repr__(self) -> str:
        return f"Feed({', '.join(self._engine.project_ids)}, runs={self._engine.count})"

    async def __aenter__(self) -> Self:
        if self._owner is not None or self._is_closed:
            raise RuntimeError(f"{self!r} was entered before: make a new one")
        cursors = await self._keeper.open()
        if self._is_closed:
            await self._keeper.aclose()
            raise RuntimeError(f"{self!r} was closed while it was entered")
        try:
            self._engine.prepare(cursors)
        except BaseException:
            await self._keeper.aclose()
            raise
        self._owner = asyncio.create_task(self._own(), name=repr(self))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self._terms.ack == "auto":
            self._ack_handed_out()
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        self._begin_next()
        event = await self._take_event()
        self._hand_out(event)
        return event

    async def batches(self, max_size: int = 100, max_wait: float = 1.0) -> AsyncGenerator[list[Event], None]:
        """Yield events in lists of at most `max_size`, each at most `max_wait` seconds after its first event.

        With `ack="auto"` a list counts as handled when the next is asked for.
        """
        positive_count("max_size", max_size)
        positive("max_wait", max_wait)
        while True:
            try:
                batch = await self._gather(max_size, max_wait)
            except StopAsyncIteration:
                return
            yield batch

    def ack(self, event: Event) -> None:
        """Count an event as handled, where the feed was made with `ack="manual"`.

        A run's cursor moves past it once all events of that run before it are handled. A second time does
        nothing, and neither does an event of no run. Raises `InvalidArgumentError` for an event that this feed
        did not hand out, as far as can be told, and `RuntimeError` where it is closed: nothing is kept any more.
        """
        if self._terms.ack != "manual":
            raise InvalidArgumentError("this feed counts events as handled by itself: pass ack='manual' to watch")
        if self._is_closed:
            raise RuntimeError(f"{self!r} is closed, {event.id} is told again: ack inside `async with`")
        if isinstance(event, RunEvent):
            self._keeper.ack(event)

    def hub(self, *, replay: int = REPLAY) -> Hub:
        """Give the events to many subscribers, none of whom slows the feed: `async with feed.hub() as hub`.

        The last `replay` events are held for those who come later, or again. An event counts as handled once
        the hub has it. Raises `ConfigurationError` for what is no count, `RuntimeError` outside `async with`.
        """
        if self._owner is None or self._is_closed:
            raise RuntimeError("a hub is made inside `async with` of its feed")
        return Hub(self, replay=replay, handled=self.ack if self._terms.ack == "manual" else None)

    def add(self, run_id: str, *, project_id: str | None = None) -> None:
        """Follow one more run, also one that is over. It is asked for as soon as there is a turn.

        `project_id` is needed where the feed is of several projects. A run that is followed already, or was told
        to its end, is not followed anew. Raises `InvalidArgumentError` for what is no run's ID, `RuntimeError`
        where the feed is not entered, stopped or closed.
        """
        check_run_id(run_id)
        if self._owner is None or self._is_closed or self._engine.is_stopped:
            raise RuntimeError(f"{self!r} follows nothing: add runs inside `async with`, before it is stopped")
        self._engine.project(project_id).add(run_id)

    async def remove(self, run_id: str) -> None:
        """Stop following a run: `RunRemoved` is its last event. The run itself goes on.

        What was read of it before is still handed out. Raises `InvalidArgumentError` where it is not followed.
        """
        if not self._engine.remove(run_id):
            raise InvalidArgumentError(f"{run_id} is not followed: feed.stats().runs has those that are")

    def stop(self) -> None:
        """Stop polling: what was read is handed out, then the feed ends."""
        self._engine.stop()

    def stats(self) -> FeedStats:
        """Return how the feed and each of its runs are doing."""
        queued = sum(not isinstance(item, _HeldBack) for item in self._buffer)
        return self._engine.stats(self._keeper.cursors, queued=queued)

    @property
    def cursors(self) -> Mapping[str, str]:
        """Return, by its ID, the token of each run after what was handled of it: what `cursors=` takes."""
        return dict(self._keeper.cursors)

    async def aclose(self) -> None:
        """End the feed: nothing is asked any more, and what was handled is kept in the store. Kills no run."""
        self._is_closed = True
        self._buffer.close()
        if self._owner is None:
            return
        async with self._closing:
            self._owner.cancel()
            try:
                await asyncio.wait([self._owner])
            finally:
                await self._keeper.aclose()

    async def emit(self, event: Event, /) -> None:
        """Take an event of the engine in; wait until there is room for it."""
        await self._buffer.put(event)

    def push(self, event: Event, /) -> None:
        """Take an event of the engine in at once, whether there is room for it or not."""
        self._buffer.push(event)

    def pass_over(self, run_id: str, cursor: str, /) -> None:
        """Take in that everything of a run up to `cursor` was held back."""
        self._buffer.push(_HeldBack(run_id, cursor))

    @property
    def is_full(self) -> bool:
        """Tell whether `emit` would wait."""
        return self._buffer.is_full

    async def room(self) -> None:
        """Wait until the consumer has room for more."""
        await self._buffer.room()

    def _begin_next(self) -> None:
        """Count what was handed out as handled, now that the next is asked for. Raises where none can be."""
        if self._is_closed:
            raise StopAsyncIteration
        if self._owner is None:
            raise RuntimeError("a feed is used inside `async with`")
        if self._is_waiting:
            raise RuntimeError(f"{self!r} is already waiting for its next event")
        self._ack_handed_out()

    async def _take(self) -> Event | _HeldBack:
        self._is_waiting = True
        try:
            item = await self._buffer.get()
        finally:
            self._is_waiting = False
        if self._keeper.is_in_doubt:  # the process was stopped for long: another may have told this by now
            try:
                await self._keeper.make_sure()
            except BaseException:
                self._buffer.put_back([item])
                raise
        if self._is_closed:
            raise StopAsyncIteration
        return item

    async def _take_event(self) -> Event:
        while isinstance(item := await self._take(), _HeldBack):
            self._hand_out(item)
        return item

    async def _gather(self, max_size: int, max_wait: float) -> list[Event]:
        """Return the next events. Where it is cancelled, they are still to be handed out."""
        self._begin_next()
        items: list[Event | _HeldBack] = [await self._take_event()]
        deadline, left = asyncio.get_running_loop().time() + max_wait, max_size - 1
        try:
            with suppress(Exception):  # what ends the feed is raised when the next is asked for
                while left:
                    async with asyncio.timeout_at(deadline):
                        items.append(await self._take())
                    left -= not isinstance(items[-1], _HeldBack)
        except BaseException:
            self._buffer.put_back(items)
            raise
        for item in items:
            self._hand_out(item)
        return [item for item in items if not isinstance(item, _HeldBack)]

    def _hand_out(self, item: Event | _HeldBack) -> None:
        if isinstance(item, _HeldBack):
            self._keeper.pass_over(item.run_id, item.cursor)
        elif isinstance(item, RunEvent):
            self._keeper.hand_out(item)
            if self._terms.ack == "auto":
                self._handed_out.append(item)

    def _ack_handed_out(self) -> None:
        handed_out, self._handed_out = self._handed_out, []
        for event in handed_out:
            self._keeper.ack(event)

    async def _own(self) -> None:
        """Be the one task in whose body the task group lives, so that a feed is entered and left anywhere."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keeper.run())
                await self._engine.run()
                self._buffer.close()
                await asyncio.Event().wait()  # until it is closed: what is handed out now is still to be kept
        except BaseExceptionGroup as failures:
            self._buffer.close(_first_of(failures))
        except Exception as failure:  # noqa: BLE001 - it is raised to the consumer
            self._buffer.close(failure)

    def _note_change(self) -> None:
        if not self._is_caught_up and self._engine.is_caught_up:
            self._is_caught_up = True
            self._buffer.push(CaughtUp(id=f"{'+'.join(self._engine.project_ids)}:caught-up"))
        if self._terms.stop_when_all_ended and self._engine.is_idle:
            self._engine.stop()


def _first_of(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    first = failures.exceptions[0]
    return _first_of(first) if isinstance(first, BaseExceptionGroup) else first
