"""Closing, cancelling and stopping a feed at any point: nothing is lost, held or asked for after."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import FaultyNexus, later, serving, steps, within

from nexus_async import Event, FixedInterval, MemoryStore, RunEvent

if TYPE_CHECKING:
    from aiohttp import web

    from nexus_async import Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, count: int = 3) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    return run


async def test_a_feed_that_was_closed_before_it_was_entered_has_nothing_to_tell() -> None:
    async with serving() as (_, project):
        feed = project.runs.watch()
        await feed.aclose()
        assert [event async for event in feed] == []


async def test_a_feed_that_is_closed_hands_out_nothing_more() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await anext(feed)
            await asyncio.sleep(10)
        assert [event async for event in feed] == []


async def test_a_feed_that_is_stopped_before_it_is_entered_asks_for_nothing() -> None:
    async with serving() as (nexus, project):
        feed = project.runs.watch()
        feed.stop()
        async with feed:
            assert [event async for event in feed] == []
        assert nexus.asked == []


async def test_stopping_asks_for_nothing_more_wherever_it_comes() -> None:
    for turns in range(60):
        async with serving() as (nexus, project):
            for _ in range(3):
                trained(nexus).open_log()
            async with project.runs.watch(pacing=PACE) as feed:
                for _ in range(turns):
                    await asyncio.sleep(0)
                feed.stop()
                await asyncio.sleep(0)
                asked = nexus_requests(project)
                async for _ in feed:
                    pass
                assert nexus_requests(project) == asked, turns


def nexus_requests(project: Project) -> int:
    return project.runs._source.throttle.requests


async def test_stopping_asks_for_no_further_log_of_a_run_that_is_being_told() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 20)
        run.open_log()
        async with project.runs.watch(pacing=PACE, buffer=4) as feed:
            await asyncio.sleep(10)
            feed.stop()
            asked = nexus_requests(project)
            told = [event async for event in feed]
            assert nexus_requests(project) == asked
    assert steps(told) == {run.id: list(range(20))}


async def test_closing_at_any_point_frees_every_place_in_flight() -> None:
    async with serving(max_in_flight=2) as (nexus, project):
        for _ in range(3):
            trained(nexus)
        for turns in range(60):
            async with project.runs.watch(pacing=PACE):
                for _ in range(turns):
                    await asyncio.sleep(0)
            assert project.runs._source.throttle.in_flight == 0, turns


async def test_closing_before_a_poll_began_frees_its_place_in_flight() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        closing: list[asyncio.Task[None]] = []

        def close(_: object) -> bool:
            closing.append(asyncio.create_task(feed.aclose()))  # runs just before the poll is made
            return True

        async with project.runs.watch(where=close, pacing=PACE) as feed:
            await asyncio.sleep(10)
        await closing[0]
        assert project.runs._source.throttle.in_flight == 0


async def test_stopping_waits_for_no_answer() -> None:
    async def wait(_: web.Request, answer: web.StreamResponse) -> web.StreamResponse:
        await asyncio.sleep(60)
        return answer

    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(3)]
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 8)
            nexus.fault = lambda request: wait if "/logs/" in request.path else None
            await asyncio.sleep(10)
            assert project.runs._source.throttle.in_flight == len(runs)
            feed.stop()
            stopped_at = nexus.now()
            assert [event async for event in feed] == []
            assert nexus.now() - stopped_at < 1000


async def test_a_turn_that_comes_when_nothing_is_to_be_polled_any_more_is_not_counted() -> None:
    async with serving(requests_per_second=1) as (nexus, project):
        run = trained(nexus)
        throttle = project.runs._source.throttle
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 8)
            throttle.slow_down(30)
            await asyncio.sleep(10)
            assert throttle.waiting > 0
            await feed.remove(run.id)
            await asyncio.sleep(120)
        assert (throttle.in_flight, throttle.requests) == (0, len(nexus.asked))


async def test_a_batch_that_is_cancelled_while_it_is_gathered_loses_nothing() -> None:
    async with serving() as (nexus, project):
        run, told = trained(nexus), list[Event]()
        async with project.runs.watch(pacing=PACE) as feed:
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await anext(feed.batches(max_wait=1000))
            async for batch in feed.batches(max_wait=1):
                told += batch
                break
    assert steps(told) == {run.id: [0, 1, 2]}


async def test_a_batch_that_is_cancelled_while_it_is_gathered_is_not_handled() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await anext(feed.batches(max_wait=1000))
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [0, 1, 2]}


async def test_single_events_follow_a_batch_that_was_cancelled_in_order() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            with suppress(TimeoutError):
                async with asyncio.timeout(20):
                    await anext(feed.batches(max_wait=1000))
            run.checkpoint(step=3)
            assert steps(await within(feed, 20)) == {run.id: [0, 1, 2, 3]}


async def test_a_store_is_let_go_of_although_closing_was_cancelled() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        store = MemoryStore()
        feed = await project.runs.watch(store=store, pacing=PACE).__aenter__()
        assert len(await within(feed, 20)) == 4
        closing = asyncio.create_task(feed.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with suppress(asyncio.CancelledError):
            await closing
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            assert await within(feed, 20) == []


class SlowToOpen(MemoryStore):
    async def open(self) -> None:
        await asyncio.sleep(5)
        await super().open()


class SlowToClose(MemoryStore):
    async def aclose(self) -> None:
        await asyncio.sleep(5)
        await super().aclose()


async def test_who_closes_second_waits_until_the_store_is_let_go_of() -> None:
    async with serving() as (_, project):
        store = SlowToClose()
        feed = await project.runs.watch(store=store).__aenter__()
        closing = asyncio.create_task(feed.aclose())
        await asyncio.sleep(1)
        await feed.aclose()
        async with project.runs.watch(store=store):
            pass
        await closing


async def test_a_feed_that_is_closed_while_it_waits_for_its_store_lets_go_of_it() -> None:
    async with serving() as (nexus, project):
        store = SlowToOpen()
        feed = project.runs.watch(store=store)
        entering = asyncio.create_task(feed.__aenter__())
        await asyncio.sleep(1)
        await feed.aclose()
        with pytest.raises(RuntimeError, match="was closed while it was entered"):
            await entering
        assert nexus.asked == []
        async with project.runs.watch(store=store):
            pass


async def test_an_event_that_was_in_hand_when_it_was_closed_is_not_handled_by_asking_for_more() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            first, second = await anext(feed), await anext(feed)
            assert isinstance(first, RunEvent)
            assert second != first
            await feed.aclose()
            assert [event async for event in feed] == []
            assert feed.cursors == {first.run_id: first.cursor}


async def test_where_may_stop_the_feed() -> None:
    async with serving() as (nexus, project):
        trained(nexus)

        def stop(_: object) -> bool:
            feed.stop()
            return True

        feed = project.runs.watch(where=stop)
        async with feed:
            later(1000, lambda: None)
            told = [event async for event in feed]
    assert len(told) <= 1
