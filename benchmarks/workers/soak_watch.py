"""Many runs watched through faults: what was told of each, and how much memory the process held meanwhile."""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from benchmarks.soak_digest import RunDigest
from nexus_async import Checkpoint, Client, Event, FixedInterval, RunEnded

RATE = 8_000.0
"""Requests a second: of which the 429s leave a twentieth."""
POLL_TIMEOUT = 2.0
"""Seconds that a poll may take: a blackhole must not hold a place for two minutes."""


class Listener:
    """Take events in, and keep no more of them than a digest."""

    def __init__(self) -> None:
        self.digests: defaultdict[str, RunDigest] = defaultdict(RunDigest)
        self.kinds: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()

    def hear(self, event: Event) -> None:
        self.kinds[type(event).__name__] += 1
        match event:
            case Checkpoint(time=float(time)):
                self.digests[event.run_id].add(event.index, event.step, round(time * 1000), event.metrics)
            case RunEnded():
                self.ends[event.run_id] += 1


def pages_held() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1])


async def sample(resident: list[int], every: float) -> None:
    """Note the bytes that the process holds, again and again."""
    page = resource.getpagesize()
    while True:
        await asyncio.sleep(every)
        resident.append(pages_held() * page)


async def main(asked: dict[str, Any]) -> dict[str, Any]:
    listener, resident = Listener(), list[int]()
    sampling = asyncio.create_task(sample(resident, asked["every"]))
    async with (
        asyncio.timeout(asked["patience"]),
        Client(
            asked["key"],
            endpoint=asked["url"],
            requests_per_second=RATE,
            bytes_per_second=1e9,
            timeout=POLL_TIMEOUT,
        ) as client,
        client.get_project(asked["project"]).runs.watch(
            include_ended=True,
            stop_when_all_ended=True,
            pacing=FixedInterval(asked["interval"]),
            discovery_interval=asked["discovery"],
        ) as feed,
    ):
        async for event in feed:
            listener.hear(event)
        requests = client.throttle.requests
    sampling.cancel()
    return {
        "told": {run_id: digest.told() for run_id, digest in listener.digests.items()},
        "ends": listener.ends,
        "kinds": listener.kinds,
        "resident": resident,
        "requests": requests,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(json.loads(sys.stdin.readline())))), flush=True)
