"""A feed that ends before a run's first snapshot is told: the next begins where this one would have."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import (
    FaultyNexus,
    later,
    of_kind,
    on,
    on_logs_of,
    other_body,
    refusal,
    serving,
    steps,
    until,
    within,
)

from nexus_async import (
    Checkpoint,
    Event,
    FixedInterval,
    FollowFailed,
    MemoryStore,
    RunAdded,
    RunEnded,
    RunRemoved,
    StatusChanged,
)
from nexus_async.logs import Beginning, Cursor

if TYPE_CHECKING:
    from aiohttp import web

    from nexus_async import Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)
OLD, NEW = 1_000_000, 2_000_000


class CrashError(Exception):
    """End a feed as a bug in its consumer would."""


def trained(nexus: FaultyNexus, count: int = 4) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step, time=OLD)
    return run


async def slow(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
    await asyncio.sleep(20)
    return answer


async def crash_at(kind: type[Event], project: Project, store: MemoryStore, **options: Any) -> list[Event]:
    """Watch until an event of a kind is in hand, and let it go unhandled."""
    told: list[Event] = []
    with suppress(CrashError):
        async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
            told += await until(feed, lambda event: isinstance(event, kind))
            raise CrashError
    return told


async def told_next(project: Project, store: MemoryStore, **options: Any) -> list[Event]:
    async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
        return await within(feed, 60)


@pytest.mark.parametrize(
    ("options", "expected"), [({"start": "latest"}, []), ({"tail": 2}, [2, 3]), ({"since": 1500.0}, [])]
)
async def test_what_is_left_out_at_first_is_so_after_a_crash_before_the_first_snapshot(
    options: dict[str, Any], expected: list[int]
) -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        nexus.fault = on_logs_of(run, refusal(503))
        async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
            assert isinstance((await within(feed, 20))[0], RunAdded)
        nexus.fault = lambda _: None
        assert steps(await told_next(project, store)).get(run.id, []) == expected


@pytest.mark.parametrize("kinds", [[FollowFailed], [FollowFailed, StatusChanged]])
async def test_what_is_told_before_the_first_snapshot_does_not_take_its_place(kinds: list[type[Event]]) -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        second = run.open_log()
        nexus.fault = lambda request: refusal(400) if request.path.endswith(second) else None
        later(20, run.finish)
        async with project.runs.watch(store=store, pacing=PACE, tail=3) as feed:
            for kind in kinds:
                await until(feed, lambda event, kind=kind: isinstance(event, kind))  # type: ignore[misc]
        nexus.fault = lambda _: None
        assert steps(await told_next(project, store)) == {run.id: [1, 2, 3]}


async def test_a_tail_that_was_begun_is_not_counted_anew() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        told = await crash_at(Checkpoint, project, store, tail=2)
        for step in range(4, 9):
            run.checkpoint(step=step)
        told += await told_next(project, store, tail=2)
    assert steps(told) == {run.id: [2, 2, 3, 4, 5, 6, 7, 8]}


async def test_a_tail_that_is_longer_than_the_log_is_not_counted_anew() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        told = await crash_at(Checkpoint, project, store, tail=5)
        for step in range(4, 9):
            run.checkpoint(step=step)
        told += await told_next(project, store, tail=5)
    assert steps(told) == {run.id: [0, *range(9)]}


@pytest.mark.parametrize("options", [{"start": "latest"}, {"tail": 2}])
async def test_an_empty_log_is_a_first_snapshot_too(options: dict[str, Any]) -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus, 0), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
            await within(feed, 20)
        for step in range(4):
            run.checkpoint(step=step)
        assert steps(await told_next(project, store, **options)) == {run.id: [0, 1, 2, 3]}


async def test_what_is_too_old_stays_so_over_a_crash_between_two_logs() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus, 2), MemoryStore()
        run.checkpoint(step=2, time=NEW)
        run.open_log()
        run.checkpoint(step=3, time=OLD)
        run.checkpoint(step=4, time=NEW)
        told: list[Event] = []
        with suppress(CrashError):
            async with project.runs.watch(store=store, pacing=PACE, since=1500.0) as feed:
                told += await until(feed, lambda event: isinstance(event, Checkpoint) and event.step == 4)
                raise CrashError
        told += await told_next(project, store)
    assert steps(told) == {run.id: [2, 4, 4]}


async def test_the_token_of_a_run_that_was_added_keeps_what_is_left_out_for_a_stream_too() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(tail=2, pacing=PACE) as feed:
            added = await anext(feed)
        assert isinstance(added, RunAdded)
        stream = project.runs.stream_logs(run.id, cursor=added.cursor, follow=False)
        assert [checkpoint.step async for checkpoint in stream] == [2, 3]
        assert Cursor.read(stream.cursor).beginning is None


async def test_a_stream_that_is_left_before_its_first_checkpoint_keeps_its_tail() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        cursor = project.runs.stream_logs(run.id, tail=2).cursor
        assert Cursor.read(cursor).beginning == Beginning(tail=2)
        stream = project.runs.stream_logs(run.id, cursor=cursor, follow=False)
        assert [checkpoint.step async for checkpoint in stream] == [2, 3]


async def test_a_stream_that_is_cancelled_with_its_tail_at_hand_does_not_count_it_anew() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        run.finish()
        await asyncio.sleep(100)  # so that one snapshot is enough
        stream = project.runs.stream_logs(run.id, tail=2)
        nexus.fault = lambda request: slow if nexus.count("log") and request.path.endswith(run.id) else None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 5)
        assert Cursor.read(stream.cursor).beginning is None
        resumed = project.runs.stream_logs(run.id, cursor=stream.cursor, follow=False)
        assert [checkpoint.step async for checkpoint in resumed] == [2, 3]


async def test_a_run_whose_joining_was_not_handled_is_told_though_it_ended_meanwhile() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        [before] = await crash_at(RunAdded, project, store)
        run.finish()
        await asyncio.sleep(3600)
        after = await told_next(project, store)
    assert (after[0].id, steps(after)) == (before.id, {run.id: [0, 1, 2, 3]})
    assert isinstance(after[-1], RunEnded)


async def test_a_later_run_whose_joining_was_not_handled_is_told_from_its_first_entry() -> None:
    async with serving() as (nexus, project):
        store = MemoryStore()
        trained(nexus)
        with suppress(CrashError):
            async with project.runs.watch(store=store, start="latest", pacing=PACE) as feed:
                await within(feed, 20)
                run = trained(nexus)
                await anext(feed)
                raise CrashError
        after = await told_next(project, store, start="latest")
    assert (len(of_kind(RunAdded, after)), steps(after)) == (1, {run.id: [0, 1, 2, 3]})


async def test_a_run_that_makes_no_sense_for_a_while_is_resumed_where_it_was() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        await told_next(project, store)
        nexus.fault = on(run.id, other_body(lambda _: b"{}"))
        assert len(of_kind(FollowFailed, await told_next(project, store, run_ids=[run.id]))) == 1
        nexus.fault = lambda _: None
        run.checkpoint(step=4)
        assert steps(await told_next(project, store, run_ids=[run.id])) == {run.id: [4]}


async def test_joining_and_leaving_has_another_id_each_time_and_over_a_restart() -> None:
    async with serving() as (nexus, project):
        run, store, told = trained(nexus), MemoryStore(), list[Event]()
        for _ in range(2):
            async with project.runs.watch([run.id], store=store, pacing=PACE) as feed:
                for _ in range(2):
                    told += await within(feed, 20)
                    await feed.remove(run.id)
                    feed.add(run.id)
                told += await within(feed, 20)
    assert [event.id for event in of_kind(RunAdded, told)] == [f"{run.id}:added:{n}" for n in (1, 2, 3, 4, 5)]
    assert [event.id for event in of_kind(RunRemoved, told)] == [f"{run.id}:removed:{n}" for n in (1, 2, 3, 4)]


async def test_leaving_is_named_the_same_where_it_is_told_again() -> None:
    async with serving() as (nexus, project):
        run, store, removed = trained(nexus), MemoryStore(), list[str]()
        for _ in range(2):
            with suppress(CrashError):
                async with project.runs.watch(store=store, pacing=PACE) as feed:
                    await within(feed, 20)
                    await feed.remove(run.id)
                    removed.append((await anext(feed)).id)
                    raise CrashError
    assert removed == [f"{run.id}:removed:1"] * 2


async def test_a_run_that_leaves_by_a_filter_again_and_again_has_another_id_each_time() -> None:
    async with serving() as (nexus, project):
        run, told = trained(nexus), list[Event]()
        async with project.runs.watch(where=lambda run: run.status.overview == "Running", pacing=PACE) as feed:
            for overview in ("Running", "Creating", "Running", "Creating"):
                run.overview, run._encoded, run.update_date = overview, None, nexus.now()
                told += await within(feed, 50)
    assert [event.id for event in of_kind(RunRemoved, told)] == [f"{run.id}:removed:{n}" for n in (1, 2)]
