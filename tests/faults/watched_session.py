"""A session of a client in a process of its own, which tells every connection and every look-up of a name."""

from __future__ import annotations

import json
import sys
from typing import Any

contacted: set[tuple[str, ...]] = set()
NETWORK = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname"}
"""What the audit events of Python are called that lead out of a process."""


def watch_out(event: str, arguments: tuple[Any, ...]) -> None:
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        contacted.add((event, *map(str, arguments[1][:2])))
    elif event in NETWORK:
        contacted.add((event, *map(str, arguments[:2])))


sys.addaudithook(watch_out)  # before anything is imported that might ask somebody

import asyncio  # noqa: E402

from nexus_async import Client, Event, FixedInterval, RequestError, RunEnded  # noqa: E402

SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}


async def session(url: str, key: str, project_id: str) -> dict[str, Any]:
    """Read, start, kill and watch, through whatever goes wrong."""
    errors: set[str] = set()
    async with Client(key, endpoint=url, jitter=lambda _: 0.0, requests_per_second=1e6) as client:
        project = client.get_project(project_id)
        try:
            await client.get_info()
        except RequestError as error:
            errors.add(type(error).__name__)
        flow = (await project.workflows.list())[0]
        started = [await project.runs.start(flow.id, SETUP) for _ in range(3)]
        await project.runs.kill(started[0].id)
        events: list[Event] = []
        async with project.runs.watch(
            include_ended=True,
            stop_when_all_ended=True,
            pacing=FixedInterval(0.05),
            discovery_interval=0.1,
            settle=0.05,
            drain_timeout=1.0,
        ) as feed:
            events = [event async for event in feed]
    ended = sum(isinstance(event, RunEnded) for event in events)
    return {"contacted": sorted(contacted), "errors": sorted(errors), "ended": ended}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(session(*sys.argv[1:]))))  # noqa: T201 - the process that started this reads it
