"""The same logs read by bare aiohttp and discarded, as many at once: less cannot be had."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import cycle
from typing import TYPE_CHECKING

import aiohttp

from benchmarks.timed_source import TimedSource
from nexus_async.config import MAX_IN_FLIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BUFFER = 1 << 20


async def read(session: aiohttp.ClientSession, urls: Iterator[str], polls: Iterator[int]) -> None:
    for _ in polls:
        async with session.get(next(urls), headers={"Secret-Key": "key"}) as response:
            async for _chunk in response.content.iter_any():
                pass


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    base = f"{asked['url']}/projects/{TimedSource.project_id}/runs/logs/runlog_"
    urls = cycle([f"{base}{number:08}" for number in range(asked["runs"])])
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, read_bufsize=READ_BUFFER) as session:
        print(json.dumps(0), flush=True)
        while line := sys.stdin.readline():
            polls, begun = iter(range(json.loads(line))), time.process_time()
            async with asyncio.TaskGroup() as group:
                for _ in range(MAX_IN_FLIGHT):
                    group.create_task(read(session, urls, polls))
            print(json.dumps([time.process_time() - begun, 0.0, 0.0]), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
