"""A poll of a log without news: as nexus-async makes it, and as bare aiohttp reads and discards the body.

Which of the two is the first word on standard input's second line; each batch then is `[calls, log_id]`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING

import aiohttp

from nexus_async import Client
from nexus_async.logs import LogReader

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine

READ_BUFFER = 1 << 20
"""Bytes; what nexus-async chose, so that the two differ by the digest alone."""


def main() -> None:
    target = json.loads(sys.stdin.readline())
    side = json.loads(sys.stdin.readline())
    with asyncio.Runner() as runner:
        poll, close = runner.run(SIDES[side](target))
        for line in sys.stdin:
            calls, log_id = json.loads(line)
            print(runner.run(_timed(poll, calls, log_id)), flush=True)
        runner.run(close())


async def _timed(poll: Callable[[str], Awaitable[object]], calls: int, log_id: str) -> float:
    await poll(log_id)  # the first brings all there is
    begun = time.process_time()
    for _ in range(calls):
        await poll(log_id)
    return time.process_time() - begun


Side = tuple["Callable[[str], Awaitable[object]]", "Callable[[], Coroutine[object, object, None]]"]


async def ours(target: dict[str, str]) -> Side:
    client = Client(target["secret_key"], endpoint=target["url"])
    source = client.get_project(target["project_id"]).runs._source  # noqa: SLF001 - what streams poll with
    readers: dict[str, LogReader] = {}

    async def poll(log_id: str) -> int:
        reading = readers.setdefault(log_id, LogReader()).open()
        await source.read_log(log_id, reading)
        return sum(len(news.steps) for news in reading.news())

    return poll, client.aclose


async def bare(target: dict[str, str]) -> Side:
    session = aiohttp.ClientSession(headers={"Secret-Key": target["secret_key"]}, read_bufsize=READ_BUFFER)
    base = f"{target['url']}/projects/{target['project_id']}/runs/logs/"

    async def poll(log_id: str) -> None:
        async with session.get(base + log_id) as response:
            async for _ in response.content.iter_any():
                pass

    return poll, session.close


SIDES = {"ours": ours, "bare": bare}


if __name__ == "__main__":
    main()
