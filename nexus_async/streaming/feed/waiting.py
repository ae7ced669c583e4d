"""Waiting for what may happen, and no longer than for some time."""

from __future__ import annotations

import asyncio


async def wait_for(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set, at most for some seconds; None: however long."""
    try:
        async with asyncio.timeout(None if seconds is None else round(seconds, 6)):
            await event.wait()
    except TimeoutError:
        pass
