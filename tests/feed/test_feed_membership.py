"""Runs that join, leave and come back, whatever is under way at the time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import FaultyNexus, later, of_kind, on, on_logs_of, serving, steps, within

from nexus_async import (
    Checkpoint,
    Event,
    FixedInterval,
    FollowFailed,
    MemoryStore,
    Run,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    StatusChanged,
)

if TYPE_CHECKING:
    from aiohttp import web
    from faulty_nexus import Fault

    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, count: int = 3) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    return run


def runs(run: Run) -> bool:
    return run.status.overview == "Running"


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def answered_after(seconds: float) -> Fault:
    async def wait(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return answer

    return wait


async def slow(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    await asyncio.sleep(4.0)
    return answer


@pytest.mark.parametrize("others", [0, 1])
async def test_a_named_run_that_begins_to_fit_joins(others: int) -> None:
    async with serving() as (nexus, project):
        run, *_ = named = [nexus.start_run() for _ in range(1 + others)]
        async with project.runs.watch([each.id for each in named], pacing=PACE, where=runs) as feed:
            assert await within(feed, 50) == []
            run.begin()
            run.checkpoint(step=1)
            assert steps(await within(feed, 50)) == {run.id: [1]}


async def test_a_named_run_that_left_comes_back_where_it_was() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, where=runs) as feed:
            assert steps(await within(feed, 50)) == {run.id: [0, 1, 2]}
            run.overview, run._encoded, run.update_date = "Creating", None, nexus.now()
            assert kinds(await within(feed, 50)) == ["RunRemoved"]
            run.begin()
            run.checkpoint(step=9)
            assert steps(await within(feed, 50)) == {run.id: [9]}


async def test_a_run_that_was_told_to_its_end_is_not_followed_anew() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE) as feed:
            run.finish()
            assert len(of_kind(RunEnded, await within(feed, 100))) == 1
            asked = nexus.count("run")
            feed.add(run.id)
            assert await within(feed, 100) == []
            assert nexus.count("run") == asked


@pytest.mark.parametrize("before", [True, False])
async def test_a_run_that_is_over_is_not_told_whatever_else_is_in_later_lists(before: bool) -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        if before:
            run.finish()
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            if not before:
                run.finish()
                assert len(of_kind(RunEnded, await within(feed, 100))) == 1
            other = trained(nexus)
            assert steps(await within(feed, 100)) == {other.id: [0, 1, 2]}


async def test_a_run_that_is_removed_stays_out_whatever_else_is_in_later_lists() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            await feed.remove(run.id)
            other = trained(nexus)
            run.finish()
            assert steps(await within(feed, 100)) == {other.id: [0, 1, 2]}


async def test_a_run_without_a_log_is_asked_for_its_first_when_it_is_polled() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        logs = dict(run._logs)
        run._logs.clear()
        async with project.runs.watch(pacing=PACE, discovery_interval=1e6) as feed:
            assert kinds(await within(feed, 50)) == ["RunAdded"]
            run._logs.update(logs)
            run._encoded = None
            run.checkpoint(step=7)
            assert steps(await within(feed, 6)) == {run.id: [7]}


async def test_a_run_that_is_followed_is_not_added_twice() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            feed.add(run.id)
            assert await within(feed, 50) == []


async def test_an_unknown_run_that_is_added_is_told_as_failed_for_good() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            feed.add("run_nowhere")
            run.checkpoint(step=9)
            events = await within(feed, 50)
    assert [(event.run_id, event.fatal) for event in of_kind(FollowFailed, events)] == [("run_nowhere", True)]
    assert steps(events) == {run.id: [9]}


async def test_a_run_that_was_added_and_is_removed_before_it_was_asked_for_is_not_followed() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(["run_nowhere"], pacing=PACE) as feed:
            await within(feed, 20)
            feed.add(run.id)
            await feed.remove(run.id)
            assert await within(feed, 50) == []


async def test_a_run_that_is_removed_while_it_is_polled_is_told_so_last() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 7)
            nexus.fault = on_logs_of(run, slow)
            await within(feed, 4)
            run.checkpoint(step=9)
            await feed.remove(run.id)
            assert kinds(await within(feed, 50))[-1] == "RunRemoved"
            assert run.id not in feed.stats().runs


async def test_a_run_that_is_removed_and_added_while_it_is_polled_is_told_in_order() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 7)
            nexus.fault = on_logs_of(run, slow)
            await within(feed, 4)
            run.checkpoint(step=9)
            await feed.remove(run.id)
            feed.add(run.id)
            events = await within(feed, 60)
    told = kinds(events)
    assert told.count("RunRemoved") == told.count("RunAdded") == 1
    assert told.index("RunRemoved") < told.index("RunAdded")
    assert steps(events[told.index("RunAdded") :]) == {run.id: [0, 1, 2, 9]}


async def test_a_run_that_is_added_again_waits_for_its_own_removal_to_be_told_not_for_that_of_another() -> None:
    async with serving() as (nexus, project):
        run, other = trained(nexus), trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 7)
            nexus.fault = lambda request: (
                answered_after(20 if run.log_ids[0] in request.path else 10) if "/logs/" in request.path else None
            )
            await within(feed, 6)
            await feed.remove(run.id)
            await feed.remove(other.id)
            feed.add(run.id)
            events = await within(feed, 60)
    told = [(type(event).__name__, event.run_id) for event in events if isinstance(event, RunEvent)]
    assert (
        told.index(("RunRemoved", other.id))
        < told.index(("RunRemoved", run.id))
        < told.index(("RunAdded", run.id))
    )


@pytest.mark.parametrize("buffer", [1, 2, 10])
async def test_a_consumer_removes_a_run_while_others_wait_for_room(buffer: int) -> None:
    async with serving() as (nexus, project):
        run, _ = trained(nexus, 1), trained(nexus, 100)
        async with project.runs.watch(pacing=PACE, buffer=buffer) as feed:
            async for event in feed:
                if isinstance(event, Checkpoint) and event.run_id == run.id:
                    break
            await asyncio.sleep(10)
            async with asyncio.timeout(100):
                await feed.remove(run.id)
            assert len(of_kind(RunRemoved, await within(feed, 100))) == 1


async def test_a_run_that_was_over_and_runs_again_joins() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        run.finish()
        async with project.runs.watch(pacing=PACE) as feed:
            assert await within(feed, 50) == []
            run.overview, run._encoded, run.update_date = "Running", None, nexus.now()
            assert steps(await within(feed, 50)) == {run.id: [0, 1, 2]}


async def test_a_run_that_goes_back_to_running_while_it_is_drained_is_followed_on() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, discovery_interval=1.0, settle=9.0) as feed:
            await within(feed, 20)
            run.finish()
            await within(feed, 3)
            run.overview, run._encoded, run.update_date = "Running", None, nexus.now()
            run._over.clear()
            assert of_kind(RunEnded, await within(feed, 500)) == []
            run.checkpoint(step=9)
            run.finish()
            events = await within(feed, 100)
    assert steps(events) == {run.id: [9]}
    assert kinds(events)[-1] == "RunEnded"


async def test_a_run_that_was_removed_is_followed_again_by_the_next_feed() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await within(feed, 20)
            await feed.remove(run.id)
            await within(feed, 20)
        run.checkpoint(step=9)
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            assert steps(await within(feed, 50)) == {run.id: [9]}


async def test_a_slow_consumer_of_two_logs_gets_every_entry_in_order() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 50)
        run.open_log()
        for step in range(50, 100):
            run.checkpoint(step=step)
        later(20, run.finish)
        told: list[Any] = []
        async with project.runs.watch(pacing=PACE, buffer=3, stop_when_all_ended=True) as feed:
            async for event in feed:
                told.append(event)
                await asyncio.sleep(1)
    assert [event.step for event in of_kind(Checkpoint, told)] == list(range(100))
    assert kinds(told)[-1] == "RunEnded"


async def test_where_is_asked_once_for_each_status_that_it_does_not_take() -> None:
    asked = []

    def fits(run: Run) -> bool:
        asked.append(run.status.overview)
        return run.status.overview == "Running"

    async with serving() as (nexus, project):
        run = nexus.start_run()
        async with project.runs.watch(pacing=PACE, where=fits) as feed:
            await within(feed, 100)
            run.begin()
            await within(feed, 100)
            run.finish()
            nexus.start_run()  # the list is another
            await within(feed, 100)
    assert asked == ["Creating", "Running", "Finished", "Creating"]


async def test_a_run_that_comes_back_while_a_slow_consumer_is_told_of_it_is_told_nothing_twice() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 60)
        run.open_log()
        for step in range(60, 70):
            run.checkpoint(step=step)
        told: list[Event] = []
        async with project.runs.watch(pacing=PACE, where=runs, buffer=5, discovery_interval=5.0) as feed:
            await asyncio.sleep(12)
            run.overview, run._encoded, run.update_date = "Creating", None, nexus.now()
            await asyncio.sleep(12)
            run.overview, run._encoded, run.update_date = "Running", None, nexus.now()
            await asyncio.sleep(12)
            told = await within(feed, 100)
    assert steps(told) == {run.id: list(range(70))}
    assert isinstance(told[-1], StatusChanged)


async def test_a_run_that_is_removed_while_its_end_is_told_ends() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 30)
        run.finish()
        async with project.runs.watch([run.id], pacing=PACE, buffer=3) as feed:
            await asyncio.sleep(70)
            nexus.fault = on(run.id, slow)
            told = [await anext(feed) for _ in range(31)]
            await asyncio.sleep(1)
            await feed.remove(run.id)
            told += await within(feed, 100)
    assert kinds(told)[-1] == "RunEnded"


@pytest.mark.parametrize("seconds", [1.0, 60.0])
async def test_a_run_that_is_removed_before_there_was_room_to_tell_of_it_is_told_in_order(seconds: float) -> None:
    async with serving() as (nexus, project):
        for _ in range(3):
            run = trained(nexus)
        async with project.runs.watch(pacing=PACE, buffer=1) as feed:
            await asyncio.sleep(10)
            first = await anext(feed)
            assert isinstance(first, RunAdded)
            second = next(each for each in feed.stats().runs if each != first.run_id)
            await feed.remove(second)
            told = [event for event in await within(feed, seconds) if isinstance(event, RunEvent)]
    assert kinds([event for event in told if event.run_id == second]) == ["RunAdded", "RunRemoved"]
    assert run.id in {event.run_id for event in told}
