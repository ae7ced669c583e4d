"""The engine itself over many runs, on virtual time: how long after it was written an entry is handed out."""

from __future__ import annotations

import asyncio
from random import Random
from typing import TYPE_CHECKING

from benchmarks.pacing_replay import Outcome
from benchmarks.timed_source import TimedSource
from nexus_async import Adaptive, Checkpoint, Throttle
from nexus_async.resources.feeds import feed_over
from nexus_async.streaming import Shared, Watchable
from nexus_async.testing import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.pacing_fleet import Budget


def follow_with_engine(runs: Sequence[Sequence[float]], budget: Budget, seconds: float, seed: int) -> Outcome:
    """Watch the runs for so long, and return by how much each entry was late."""
    return run_in_virtual_time(lambda: _follow(runs, budget, seconds, Random(seed)))


async def _follow(runs: Sequence[Sequence[float]], budget: Budget, seconds: float, random: Random) -> Outcome:
    throttle = Throttle(requests_per_second=budget.requests_per_second, bytes_per_second=budget.bytes_per_second)
    source = TimedSource(runs, throttle)
    shared = Shared(source.now, jitter=lambda pause: random.uniform(0, pause))
    outcome = Outcome()
    async with feed_over([Watchable(source, shared)], pacing=Adaptive(budget.price)) as feed:
        asyncio.get_running_loop().call_later(seconds, feed.stop)
        async for event in feed:
            if isinstance(event, Checkpoint) and event.time is not None:
                outcome.delays.append(source.now() - event.time)
        outcome.polls = feed.stats().polls
    return outcome
