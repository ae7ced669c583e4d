"""When an event counts as handled, and from where a run is resumed then."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import serving, steps, within

from nexus_async import (
    Checkpoint,
    FixedInterval,
    InvalidArgumentError,
    LogEntry,
    MemoryStore,
    RunEvent,
    decode_event,
    encode_event,
)
from nexus_async.logs import Cursor

if TYPE_CHECKING:
    from faulty_nexus import FaultyNexus

    from nexus_async import Event, Feed, Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, count: int = 5) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    return run


async def checkpoint(feed: Feed, step: int) -> Checkpoint:
    async for event in feed:
        if isinstance(event, Checkpoint) and event.step == step:
            return event
    raise AssertionError("it ended before")


async def told_next(project: Project, store: MemoryStore) -> dict[str, list[int]]:
    async with project.runs.watch(store=store, pacing=PACE) as feed:
        return steps(await within(feed, 20))


async def test_an_event_is_handled_when_the_next_is_asked_for() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        with suppress(ZeroDivisionError):
            async with project.runs.watch(store=store, pacing=PACE) as feed:
                await checkpoint(feed, 2)
                raise ZeroDivisionError
        assert await told_next(project, store) == {run.id: [2, 3, 4]}


async def test_the_last_event_is_handled_where_a_feed_is_left_without_an_error() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await checkpoint(feed, 2)
        assert await told_next(project, store) == {run.id: [3, 4]}


async def test_closing_alone_does_not_handle_the_last_event() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        feed = await project.runs.watch(store=store, pacing=PACE).__aenter__()
        await checkpoint(feed, 2)
        await feed.aclose()
        assert await told_next(project, store) == {run.id: [2, 3, 4]}


async def test_nothing_is_handled_by_itself_where_the_user_says_so() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, ack="manual", pacing=PACE) as feed:
            await checkpoint(feed, 4)
        assert await told_next(project, store) == {run.id: [0, 1, 2, 3, 4]}


async def test_a_cursor_moves_past_what_is_handled_without_a_gap() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, ack="manual", pacing=PACE) as feed:
            events = await within(feed, 20)
            for event in events:
                if not (isinstance(event, Checkpoint) and event.step == 2):
                    feed.ack(event)
        assert await told_next(project, store) == {run.id: [2, 3, 4]}


async def test_what_was_handled_out_of_order_counts_once_the_gap_is_closed() -> None:
    async with serving() as (nexus, project):
        _, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, ack="manual", pacing=PACE) as feed:
            for event in reversed(await within(feed, 20)):
                feed.ack(event)
                feed.ack(event)
        assert await told_next(project, store) == {}


async def test_handling_one_run_does_not_wait_for_another() -> None:
    async with serving() as (nexus, project):
        run, other, store = trained(nexus), trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, ack="manual", pacing=PACE) as feed:
            for event in await within(feed, 20):
                if isinstance(event, RunEvent) and event.run_id == run.id:
                    feed.ack(event)
        assert await told_next(project, store) == {other.id: [0, 1, 2, 3, 4]}


async def test_an_event_of_no_run_is_handled_without_effect() -> None:
    async with serving() as (_, project), project.runs.watch(caught_up=True, ack="manual") as feed:
        feed.ack(await anext(feed))
        assert feed.cursors == {}


async def test_what_is_handled_after_a_feed_was_closed_is_refused() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(ack="manual", pacing=PACE) as feed:
            event = await anext(feed)
        with pytest.raises(RuntimeError, match=r"is closed, run_.*:added:1 is told again: ack inside"):
            feed.ack(event)


async def test_what_another_feed_handed_out_is_refused() -> None:
    async with serving() as (nexus, project):
        run, other = trained(nexus), trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            events = await within(feed, 20)
        async with project.runs.watch([run.id], ack="manual", pacing=PACE) as feed:
            added, first = await anext(feed), await anext(feed)
            unknown = [
                event
                for event in events
                if isinstance(event, Checkpoint) and event.id not in {added.id, first.id}
            ]
            assert {event.run_id for event in unknown} == {run.id, other.id}
            for event in unknown:
                with pytest.raises(InvalidArgumentError, match=f"{event.id} was not handed out by this feed"):
                    feed.ack(event)


async def test_what_was_handled_by_the_feed_before_is_handled_again_without_effect() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            events = await within(feed, 20)
        async with project.runs.watch(cursors=feed.cursors, ack="manual", pacing=PACE) as feed:
            for event in events:
                feed.ack(event)
            run.checkpoint(step=9)
            assert steps(await within(feed, 20)) == {run.id: [9]}


async def test_an_event_that_was_decoded_is_handled_as_the_one_that_was_handed_out() -> None:
    async with serving() as (nexus, project):
        _, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, ack="manual", pacing=PACE) as feed:
            for event in await within(feed, 20):
                feed.ack(decode_event(encode_event(event)))
        assert await told_next(project, store) == {}


async def test_handling_by_hand_is_refused_where_the_feed_does_it() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch() as feed:
            with pytest.raises(InvalidArgumentError, match="pass ack='manual' to watch"):
                feed.ack(await anext(feed))


async def test_what_a_filter_held_back_is_handled_too() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, start="latest", pacing=PACE) as feed:
            await within(feed, 20)
        run.checkpoint(step=9)
        assert await told_next(project, store) == {run.id: [9]}


async def test_what_a_filter_held_back_waits_for_what_was_handed_out_before_it() -> None:
    async with serving() as (nexus, project):
        run, store = nexus.start_run(), MemoryStore()
        run.begin()
        run.checkpoint(step=0, time=10_000_000_000_000)
        run.checkpoint(step=1, time=1000)
        async with project.runs.watch(store=store, since=5.0e9, ack="manual", pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [0]}
        assert await told_next(project, store) == {run.id: [0]}  # which is what began to be told


async def test_cursors_are_those_of_what_was_handled() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            before = await checkpoint(feed, 1)
            await checkpoint(feed, 2)
            assert feed.cursors == {run.id: before.cursor}


async def test_cursors_have_those_that_a_feed_began_with() -> None:
    token = Cursor("run_1", project_id="proj_1").token()
    async with serving() as (_, project), project.runs.watch(cursors=[token]) as feed:
        assert feed.cursors == {"run_1": token}


async def test_a_batch_is_handled_when_the_next_is_asked_for() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        with suppress(ZeroDivisionError):
            async with project.runs.watch(store=store, pacing=PACE) as feed:
                seen: list[Event] = []
                async for batch in feed.batches(max_size=2):
                    seen += batch
                    if len(seen) == 4:
                        raise ZeroDivisionError
        handled = seen[:2]
        last = max((event.index for event in handled if isinstance(event, (Checkpoint, LogEntry))), default=-1)
        assert await told_next(project, store) == {run.id: list(range(last + 1, 5))}


async def test_what_is_handled_is_committed_while_the_feed_goes_on() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await within(feed, 20)
            await asyncio.sleep(5)
            assert set(await store.load()) == {run.id}
