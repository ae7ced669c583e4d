"""How a feed asks an API that does not answer: with one poll at a time, until anything is answered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import HALF_AN_HOUR, of_kind, refusal, serving, within

from nexus_async import Disconnected, FixedInterval, Reconnected

if TYPE_CHECKING:
    from aiohttp import web
    from faulty_nexus import Fault

pytestmark = pytest.mark.virtual_time
EVERY_5_S = FixedInterval(5.0, jitter=0.0)


async def test_one_run_at_a_time_is_asked_for_while_nothing_answers() -> None:
    under_way = most = 0

    async def hang(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(100)
        under_way -= 1
        return answer

    async with serving() as (nexus, project):
        for _ in range(20):
            nexus.start_run().begin()
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 60)
            nexus.fault = lambda _: refusal(503)
            assert of_kind(Disconnected, await within(feed, 300))
            nexus.fault = lambda request: hang if "/logs/" in request.path else refusal(503)
            await within(feed, 90)
    assert most == 1


async def test_all_runs_are_polled_again_once_a_list_is_answered_though_a_probe_hangs() -> None:
    hung: list[str] = []

    async def hang(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        await asyncio.sleep(110)
        return answer

    def fault(request: web.Request) -> Fault | None:
        if "/logs/" not in request.path:
            return None if hung else refusal(503)
        if hung:
            return None
        hung.append(request.path)
        return hang

    async with serving() as (nexus, project):
        for _ in range(5):
            nexus.start_run().begin()
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 60)
            nexus.fault = lambda _: refusal(503)
            assert of_kind(Disconnected, await within(feed, HALF_AN_HOUR))
            nexus.fault = fault
            async for event in feed:
                if isinstance(event, Reconnected):
                    break
            assert hung
            answered_at = asyncio.get_running_loop().time()
            await within(feed, 1)
            assert nexus.count("log", after=answered_at) == 4
