"""Pieces for the tests of a hub: a feed that a test drives, and what subscribers got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from nexus_async import Checkpoint, Disconnected, Event, Hub, Lagged

if TYPE_CHECKING:
    from nexus_async import Subscription


class Driven(AsyncIterator[Event]):
    """Yield what a test puts in; end, or raise, when it says so."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Event | BaseException] = asyncio.Queue()
        self.asked = 0

    async def __anext__(self) -> Event:
        self.asked += 1
        event = await self._events.get()
        if isinstance(event, BaseException):
            raise event
        return event

    async def tell(self, *events: Event | BaseException) -> None:
        """Put events in, and wait until whoever wants them has them."""
        for event in events:
            self._events.put_nowait(event)
        await asyncio.sleep(0.001)

    async def end(self) -> None:
        await self.tell(StopAsyncIteration())


@asynccontextmanager
async def driven(**options: Any) -> AsyncIterator[tuple[Driven, Hub]]:
    feed = Driven()
    async with Hub(feed, **options) as hub:
        yield feed, hub


def checkpoint(step: int, run_id: str = "run_1", *, log_id: str = "log") -> Checkpoint:
    return Checkpoint(
        project_id="proj_1",
        run_id=run_id,
        id=f"{log_id}:{step}",
        cursor="c",
        log_id=log_id,
        index=step,
        time=1.5,
        step=step,
        metrics={"totalLoss": 0.5},
    )


def checkpoints(*steps: int) -> list[Event]:
    return [checkpoint(step) for step in steps]


def outage() -> Disconnected:
    return Disconnected(id="outage", project_ids=("proj_1",), since=0.0, error="503")


async def got(subscription: Subscription) -> list[int | str]:
    """Return what a subscription has to give now: steps, and the kinds of what is no checkpoint."""
    events: list[int | str] = []
    try:
        async with asyncio.timeout(0.01):
            async for event in subscription:
                events.append(_told(event))  # noqa: PERF401 - what came before the timeout is kept
    except TimeoutError:
        pass
    return events


def _told(event: Event) -> int | str:
    match event:
        case Checkpoint():
            return event.step
        case Lagged():
            return f"Lagged after {str(event.after).rpartition('-')[2]}"
        case _:
            return type(event).__name__
