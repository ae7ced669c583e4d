"""Follow a fleet with faults on virtual time, and print a digest of what was asked and told, and when."""

from __future__ import annotations

import asyncio
import hashlib
from random import Random
from typing import TYPE_CHECKING

from faulty_nexus import FaultyNexus, drop, refusal

from nexus_async import watch
from nexus_async.local import CurveTrainer
from nexus_async.testing import client_for, run_in_virtual_time

if TYPE_CHECKING:
    from aiohttp import web
    from faulty_nexus import Fault

RUNS = 120


async def follow() -> str:
    """Follow runs of two projects to their ends."""
    numbers = Random(0)

    def choose(_: web.Request) -> Fault | None:
        return numbers.choices([None, refusal(500), refusal(429, retry_after=2), drop(0.5)], [90, 4, 1, 5])[0]

    async with (
        FaultyNexus(CurveTrainer(steps=5, interval=20.0)) as nexus,
        client_for(nexus, requests_per_second=40) as client,
    ):
        for number in range(RUNS):
            nexus.start_run(project_id=nexus.projects[number % 2].id)
        nexus.fault = choose
        projects = [client.get_project(each.id) for each in nexus.projects]
        async with watch(*projects, include_ended=True, stop_when_all_ended=True, buffer=50) as feed:
            events = [(asyncio.get_running_loop().time(), event) async for event in feed]
    return hashlib.sha256(f"{nexus.asked!r} {events!r}".encode()).hexdigest() + f" {len(events)}"


if __name__ == "__main__":
    print(run_in_virtual_time(follow))  # noqa: T201 - the process that started this reads it
