"""Pages of a dashboard that are open: connections that read what comes, and count it."""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp


async def read(session: aiohttp.ClientSession, url: str, opened: asyncio.Semaphore) -> None:
    async with session.get(url) as answer:
        opened.release()
        async for _ in answer.content.iter_any():
            pass


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    opened = asyncio.Semaphore(0)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None)) as session:
        reading = [asyncio.create_task(read(session, asked["url"], opened)) for _ in range(asked["pages"])]
        for _ in reading:
            await opened.acquire()
        print(json.dumps(len(reading)), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        for task in reading:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
