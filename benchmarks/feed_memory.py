"""What a watched run holds, in bytes."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from random import Random

from benchmarks.timed_source import TimedSource
from nexus_async import Adaptive, Feed, Throttle
from nexus_async.resources.feeds import feed_over
from nexus_async.streaming import Shared, Watchable
from nexus_async.testing import run_in_virtual_time

INTERVAL = 20.0
SECONDS = 1_500.0
"""Long enough for as many intervals as are remembered."""


def bytes_a_run(runs: int) -> float:
    """Watch so many runs until each has all that it will ever hold, and return the bytes of one."""
    return run_in_virtual_time(lambda: _bytes_a_run(runs))


async def _bytes_a_run(runs: int) -> float:
    random = Random(1)
    phases = [random.uniform(0, INTERVAL) for _ in range(runs)]
    times = [[phase + INTERVAL * step for step in range(int(SECONDS / INTERVAL))] for phase in phases]
    source = TimedSource(times, Throttle(requests_per_second=1e6, bytes_per_second=1e12))
    shared = Shared(source.now, jitter=lambda pause: random.uniform(0, pause))
    gc.collect()
    tracemalloc.start()
    try:
        async with feed_over([Watchable(source, shared)], pacing=Adaptive()) as feed:
            reading = asyncio.create_task(_consume(feed))
            await asyncio.sleep(SECONDS + 10 * INTERVAL)
            gc.collect()
            held, _ = tracemalloc.get_traced_memory()
            reading.cancel()
    finally:
        tracemalloc.stop()
    return held / runs


async def _consume(feed: Feed) -> None:
    async for _ in feed:
        pass
