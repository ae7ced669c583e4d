"""Streams of one client beside each other: a consumer that takes its time is alone with it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nexus_async import Checkpoint, FixedInterval
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from nexus_async import LogStream
    from nexus_async.local import LocalNexus, LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(1.0, jitter=0.0)


async def train(run: LocalRun, steps: int) -> None:
    for step in range(steps):
        run.checkpoint(step=step, note="x" * 1000)
        await asyncio.sleep(1)
    run.finish()


async def arrivals(stream: LogStream, *, takes: float = 0.0) -> list[tuple[int, float]]:
    """Return when each step came; the consumer takes so many seconds for each."""
    came = []
    async for checkpoint in stream:
        came.append((checkpoint.step, round(asyncio.get_running_loop().time(), 1)))
        await asyncio.sleep(takes)
    return came


@pytest.mark.parametrize("options", [{}, {"max_in_flight": 1}, {"max_buffered_bytes": 1}])
async def test_a_slow_consumer_of_one_run_does_not_delay_anothers_stream(
    local_nexus: LocalNexus, options: dict[str, int]
) -> None:
    async with client_for(local_nexus, **options) as client:
        runs = [local_nexus.start_run() for _ in range(2)]
        trainings = [asyncio.create_task(train(run, 30)) for run in runs]
        project = client.get_project(local_nexus.project_id)
        slow = asyncio.create_task(arrivals(project.runs.stream_logs(runs[0].id, pacing=PACE), takes=60.0))
        fast = await arrivals(project.runs.stream_logs(runs[1].id, pacing=PACE))
        assert [step for step, _ in fast] == list(range(30))
        assert all(came <= step + 2.0 for step, came in fast)
        assert [step for step, _ in await slow] == list(range(30))
        await asyncio.gather(*trainings)


async def test_who_holds_a_checkpoint_for_long_lets_others_have_the_room(local_nexus: LocalNexus) -> None:
    async with client_for(local_nexus, max_buffered_bytes=1) as client:
        runs = [local_nexus.start_run() for _ in range(2)]
        for run in runs:
            for step in range(500):
                run.checkpoint(step=step, note="x" * 1000)
            run.finish()
        project = client.get_project(local_nexus.project_id)
        held = project.runs.stream_logs(runs[0].id, pacing=PACE)
        first = await anext(held)
        assert len(await arrivals(project.runs.stream_logs(runs[1].id, pacing=PACE))) == 500
        others = [checkpoint.step async for checkpoint in held]
        assert [first.step, *others] == list(range(500))
        assert isinstance(first, Checkpoint)


async def test_many_streams_that_begin_at_once_are_each_read_once_within_their_share_of_the_requests(
    local_nexus: LocalNexus,
) -> None:
    async with client_for(local_nexus, requests_per_second=10) as client:
        runs = [local_nexus.start_run() for _ in range(300)]
        for run in runs:
            run.checkpoint(step=0, totalLoss=0.5)
        project = client.get_project(local_nexus.project_id)

        async def first_of(run: LocalRun) -> float:
            stream = project.runs.stream_logs(run.id)
            await anext(stream)
            waiting.append(asyncio.create_task(anext(stream)))  # which polls on
            return asyncio.get_running_loop().time()

        waiting: list[asyncio.Task[Checkpoint]] = []
        came = await asyncio.gather(*map(first_of, runs))
        for task in waiting:
            task.cancel()
        await asyncio.wait(waiting)
    assert max(came) < 150
