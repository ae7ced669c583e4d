"""A list of runs that fails for long while all else answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from faulty_nexus import FaultyNexus, ends, later, of_kind, on, other_body, refusal, serving, steps, within

from nexus_async import (
    CaughtUp,
    Disconnected,
    FixedInterval,
    FollowFailed,
    MemoryStore,
    NotFoundError,
    RateLimitedError,
    RunAdded,
    ServerError,
    StatusChanged,
)
from nexus_async.streaming.feed.lost_list import LostList

if TYPE_CHECKING:
    from faulty_nexus import Fault

    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)
BROKEN = [refusal(500), other_body(lambda _: b"[")]


def trained(nexus: FaultyNexus, count: int = 3) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    return run


@pytest.mark.parametrize("fault", BROKEN)
async def test_how_runs_stand_is_learned_while_the_list_fails(fault: Fault) -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(3)]
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            nexus.fault = on("/runs", fault)
            later(60, runs[0].finish)
            events = await within(feed, 300)
    assert ends(events) == {runs[0].id: 1}
    assert [event for event in events if isinstance(event, (Disconnected, FollowFailed))] == []


async def test_looks_that_fail_are_counted() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            assert feed.stats().failed_looks == 0
            nexus.fault = on("/runs", refusal(500))
            await within(feed, 300)
            failed = sum(asked.status == 500 for asked in nexus.asked)
            assert (feed.stats().failed_looks, feed.stats().failed_polls) == (failed, 0)
    assert failed > 10


async def test_a_lost_list_is_warned_of_once_when_it_begins_and_once_when_it_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            nexus.fault = on("/runs", refusal(500))
            await within(feed, 1000)
            nexus.fault = lambda _: None
            await within(feed, 100)
    assert [record.getMessage() for record in caplog.records if record.name == "nexus_async.streaming"] == [
        f"the list of {project.id} fails, runs are looked at singly: ServerError 500",
        f"the list of {project.id} answers again",
    ]


async def test_looks_at_single_runs_stay_within_their_share_and_come_round() -> None:
    async with serving(requests_per_second=10) as (nexus, project):
        runs = [trained(nexus, 1) for _ in range(100)]
        async with project.runs.watch(pacing=FixedInterval(60.0), discovery_interval=10.0) as feed:
            await within(feed, 100)
            nexus.fault = on("/runs", refusal(500))
            asked = nexus.count("run")
            for run in runs[::10]:
                run.fail("no")
            events = await within(feed, 200)
    looks = nexus.count("run") - asked - len(of_kind(StatusChanged, events))  # each end is looked at once more
    assert set(ends(events)) == {run.id for run in runs[::10]}
    assert looks + nexus.count("list", after=100) <= 0.12 * 10 * 200


async def test_named_runs_are_followed_though_the_list_never_answered() -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(30)]
        nexus.fault = on("/runs", refusal(500))
        async with project.runs.watch([run.id for run in runs], caught_up=True, pacing=PACE) as feed:
            events = await within(feed, 120)
    assert steps(events) == {run.id: [0, 1, 2] for run in runs}
    assert len(of_kind(CaughtUp, events)) == 1


async def test_a_run_that_is_added_while_the_list_fails_is_followed() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            nexus.fault = on("/runs", refusal(500))
            await within(feed, 100)
            run = trained(nexus)
            feed.add(run.id)
            assert steps(await within(feed, 40)) == {run.id: [0, 1, 2]}


async def test_runs_are_resumed_though_the_list_fails_and_others_found_once_it_answers() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await within(feed, 20)
        other = trained(nexus)
        run.finish()
        nexus.fault = on("/runs", refusal(500))
        async with project.runs.watch(store=store, caught_up=True, pacing=PACE) as feed:
            events = await within(feed, 100)
            assert (ends(events), of_kind(CaughtUp, events)) == ({run.id: 1}, [])
            nexus.fault = lambda _: None
            events = await within(feed, 100)
    assert [event.run_id for event in of_kind(RunAdded, events)] == [other.id]
    assert len(of_kind(CaughtUp, events)) == 1


def test_neither_a_refusal_nor_a_429_makes_a_list_lost() -> None:
    lost = LostList("proj_1")
    for _ in range(9):
        lost.failed(RateLimitedError(status=429, method="GET", path="/"))
        lost.failed(NotFoundError(status=404, method="GET", path="/"))
    assert not lost.is_lost


def test_a_list_is_lost_after_three_looks_in_a_row_that_failed() -> None:
    lost, error = LostList("proj_1"), ServerError(status=500, method="GET", path="/")
    for expected in (False, False, True):
        lost.failed(error)
        assert lost.is_lost == expected
    lost.answered()
    lost.failed(error)
    assert not lost.is_lost
