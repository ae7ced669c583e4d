"""Many runs watched by nexus-async: so many polls, and the CPU that they took."""

from __future__ import annotations

import asyncio
import gc
import json
import sys
import time

from benchmarks.timed_source import TimedSource
from nexus_async import Adaptive, CaughtUp, Client, Feed, FixedInterval

BEAT = 0.002
"""Seconds between two looks at how long the loop was held up."""


class Beat:
    """Watch for how long the loop comes to nothing else, in seconds of this process's CPU.

    Passes of the garbage collector are counted apart: they look at all that the process holds.
    """

    def __init__(self) -> None:
        self.longest = self.collector = 0.0
        self._began = self._collected = 0.0
        gc.callbacks.append(self._note)

    async def run(self) -> None:
        last = time.process_time()
        while True:
            self._collected = 0.0
            await asyncio.sleep(BEAT)
            now = time.process_time()
            self.longest, last = max(self.longest, now - last - self._collected), now

    def _note(self, phase: str, _: object) -> None:
        if phase == "start":
            self._began = time.process_time()
            return
        taken = time.process_time() - self._began
        self._collected += taken
        self.collector = max(self.collector, taken)


class Watch:
    """Consume a feed; tell when it is caught up, and when so many polls were made."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._rates = feed._engine._pollers[0].rates  # noqa: SLF001 - stats() would look at every run
        self.caught_up = asyncio.Event()

    async def run(self) -> None:
        async for event in self._feed:
            if isinstance(event, CaughtUp):
                self.caught_up.set()

    async def polls(self, count: int) -> float:
        """Return the seconds of CPU that so many polls take."""
        until, begun = self._rates.polls + count, time.process_time()
        while self._rates.polls < until:  # noqa: ASYNC110 - an event would be a part of what is measured
            await asyncio.sleep(0.005)
        return time.process_time() - begun


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    pacing = FixedInterval(0.001) if asked["pacing"] == "fixed" else Adaptive(1e-6)
    client = Client("key", endpoint=asked["url"], requests_per_second=1e9, bytes_per_second=1e12)
    runs, beat = client.get_project(TimedSource.project_id).runs, Beat()
    async with client, runs.watch(caught_up=True, pacing=pacing) as feed:
        watch = Watch(feed)
        tasks = [asyncio.create_task(beat.run()), asyncio.create_task(watch.run())]
        await watch.caught_up.wait()
        print(json.dumps(0), flush=True)
        while line := sys.stdin.readline():  # which holds up the loop on purpose: the others are measured now
            cpu = await watch.polls(json.loads(line))
            print(json.dumps([cpu, beat.longest, beat.collector]), flush=True)
        for task in tasks:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
