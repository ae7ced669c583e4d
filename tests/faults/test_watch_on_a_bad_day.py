"""What a feed and a user's calls make of the faults of a local Nexus, from end to end."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import (
    Checkpoint,
    FixedInterval,
    FollowFailed,
    LogReset,
    OutcomeUnknownError,
    RunEnded,
)
from nexus_async.local import Fault, LocalNexus
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async import Event, Project
    from nexus_async.local import FaultRule, LocalRun

pytestmark = pytest.mark.virtual_time
SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}


async def told(project: Project, seconds: float, **options: Any) -> list[Event]:
    """Watch for so many seconds, once in five."""
    async with project.runs.watch(pacing=FixedInterval(5.0), **options) as feed:
        asyncio.get_running_loop().call_later(seconds, feed.stop)
        return [event async for event in feed]


def steps(events: list[Event], run: LocalRun) -> list[int]:
    return [event.step for event in events if isinstance(event, Checkpoint) and event.run_id == run.id]


def trained(nexus: LocalNexus, count: int) -> LocalRun:
    run = nexus.start_run()
    for step in range(count):
        run.checkpoint(step, totalLoss=1.0)
    return run


def later(seconds: float, what: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(seconds, what)


async def test_a_lying_etag_does_not_mean_silence(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    run = trained(local_nexus, 1)
    fault(Fault.lying_etag(), on="get_logs")
    later(30, partial(run.checkpoint, 1))
    assert steps(await told(project, 300), run) == [0, 1]


async def test_a_true_etag_costs_no_event(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    run = trained(local_nexus, 1)
    fault(Fault.etag(), on="get_logs")
    for step in range(1, 10):
        later(20 * step, partial(run.checkpoint, step))
    assert steps(await told(project, 300), run) == list(range(10))


@pytest.mark.parametrize("odd", [Fault.truncated_log(1), Fault.rewritten_log()])
async def test_a_log_that_is_other_for_a_while_is_told_as_a_reset_and_nothing_of_it_is_lost(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule], odd: Fault
) -> None:
    run = trained(local_nexus, 3)
    fault(odd, on="get_logs", skip=3, times=1)
    events = await told(project, 60)
    assert any(isinstance(event, LogReset) for event in events)
    assert set(steps(events, run)) == {0, 1, 2}
    assert steps(events, run)[:3] == [0, 1, 2]


async def test_a_skewed_clock_moves_the_times_and_loses_nothing(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    run = trained(local_nexus, 2)
    run.finish()
    fault(Fault.clock_skew(-86_400))
    events = await told(project, 600, include_ended=True, stop_when_all_ended=True)
    times = [event.time for event in events if isinstance(event, Checkpoint)]
    assert times == [pytest.approx(local_nexus.run(run.id).create_date / 1000 - 86_400)] * 2
    assert [event.drained for event in events if isinstance(event, RunEnded)] == [True]


async def test_one_log_that_is_a_bomb_fails_alone(
    local_nexus: LocalNexus, fault: Callable[..., FaultRule]
) -> None:
    odd, right = trained(local_nexus, 2), trained(local_nexus, 2)
    fault(Fault.gzip_bomb(50_000_000), on=f"/projects/*/runs/logs/{odd.log_ids[0]}")
    async with client_for(local_nexus, max_response_bytes=1_000_000) as client:
        events = await told(client.get_project(local_nexus.project_id), 60)
    assert {event.run_id for event in events if isinstance(event, FollowFailed)} == {odd.id}
    assert steps(events, right) == [0, 1]


@pytest.mark.parametrize(
    "lost",
    [
        Fault.drop("after"),
        Fault.drop("in"),
        Fault.refuse(502, carried_out=True),
        Fault.html(524, carried_out=True),
    ],
)
async def test_a_start_whose_answer_is_lost_is_made_once_said_to_be_open_and_found(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule], lost: Fault
) -> None:
    fault(lost, on="start")
    with pytest.raises(OutcomeUnknownError) as caught:
        await project.runs.start(local_nexus.projects[0].workflows[0].id, SETUP)
    assert [run.id for run in await project.runs.find_started(caught.value)] == list(local_nexus.runs)
    assert len(local_nexus.runs) == 1


async def test_a_start_that_was_dropped_before_it_took_effect_is_open_as_well_and_not_found(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    fault(Fault.drop("before"), on="start")
    with pytest.raises(OutcomeUnknownError) as caught:
        await project.runs.start(local_nexus.projects[0].workflows[0].id, SETUP)
    assert await project.runs.find_started(caught.value) == []
    assert not local_nexus.runs


async def test_a_start_that_is_refused_for_too_many_requests_is_made_again_and_once(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    fault(Fault.refuse(429, retry_after=3), on="start", times=2)
    run = await project.runs.start(local_nexus.projects[0].workflows[0].id, SETUP)
    assert list(local_nexus.runs) == [run.id]


async def test_a_run_that_ends_in_an_outage_is_told_after_it(
    local_nexus: LocalNexus, project: Project, fault: Callable[..., FaultRule]
) -> None:
    run = trained(local_nexus, 1)
    later(20, lambda: fault(Fault.html(502), seconds=600))
    later(60, partial(run.checkpoint, 1))
    later(70, run.finish)
    events = await told(project, 3_600, stop_when_all_ended=True)
    assert steps(events, run) == [0, 1]
    last = events[-1]
    assert isinstance(last, RunEnded)
    assert (last.outcome, last.drained) == ("Finished", True)
