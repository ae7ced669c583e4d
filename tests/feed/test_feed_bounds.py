"""What a feed takes: of memory, of requests and of bytes, however slow its consumer and however many its runs."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import HALF_AN_HOUR, ends, later, of_kind, serving, steps, within

from nexus_async import FixedInterval, RunEnded
from nexus_async.streaming.feed import listing

if TYPE_CHECKING:
    from faulty_nexus import FaultyNexus

    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time

EVERY_5_S = FixedInterval(5.0, jitter=0.0)
HOUR = 2 * HALF_AN_HOUR
LONG_LIST = 2000


def start_with(nexus: FaultyNexus, checkpoints: int) -> LocalRun:
    run = nexus.start_run()
    for step in range(checkpoints):
        run.checkpoint(step=step, totalLoss=0.5)
    return run


def end_soon(run: LocalRun) -> None:
    later(60.0, run.finish)


def most_within(seconds: float, nexus: FaultyNexus) -> int:
    """Return the most requests that came within any time so long."""
    times = sorted(each.at for each in nexus.asked)
    first = most = 0
    for last, at in enumerate(times):
        while times[first] < at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize("buffer", [1, 5])
async def test_a_full_buffer_ends_the_polling(buffer: int) -> None:
    async with serving() as (nexus, project):
        for _ in range(3):
            start_with(nexus, 20)
        async with project.runs.watch(buffer=buffer, pacing=EVERY_5_S):
            await asyncio.sleep(600)
            asked = nexus.count("log")
            await asyncio.sleep(HOUR)
            assert nexus.count("log") == asked


@pytest.mark.parametrize("buffer", [1, 5])
async def test_a_full_buffer_drops_and_reorders_nothing(buffer: int) -> None:
    async with serving() as (nexus, project):
        runs = [start_with(nexus, 20) for _ in range(3)]
        async with project.runs.watch(buffer=buffer, stop_when_all_ended=True) as feed:
            await asyncio.sleep(600)
            for run in runs:
                end_soon(run)
            events = []
            async for event in feed:
                events.append(event)
                await asyncio.sleep(7)
    assert steps(events) == {run.id: list(range(20)) for run in runs}
    assert ends(events) == {run.id: 1 for run in runs}


@pytest.mark.parametrize("buffer", [1, 5, 100])
async def test_no_more_events_wait_than_the_buffer_holds(buffer: int) -> None:
    async with serving() as (nexus, project):
        for _ in range(10):
            start_with(nexus, 50)
        async with project.runs.watch(buffer=buffer) as feed:
            for _ in range(50):
                await asyncio.sleep(10)
                assert feed.stats().queued <= buffer
                await anext(feed)


async def test_an_idle_consumer_of_a_thousand_runs_takes_no_memory_and_makes_no_requests() -> None:
    async with serving() as (nexus, project):
        for _ in range(1000):
            start_with(nexus, 10)
        gc.collect()
        tracemalloc.start()
        try:
            async with project.runs.watch():
                await asyncio.sleep(600)
                polls = nexus.count("log")
                await asyncio.sleep(HOUR)
                gc.collect()
                held, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert nexus.count("log") == polls
    assert held < 10e6


async def test_a_hundred_runs_that_end_at_once_are_all_drained_and_ended_once() -> None:
    async with serving(requests_per_second=5) as (nexus, project):
        runs = [start_with(nexus, 3) for _ in range(100)]
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            for run in runs:
                later(300.0, run.finish)
            events = [event async for event in feed]
    assert ends(events) == {run.id: 1 for run in runs}
    assert all(event.drained for event in of_kind(RunEnded, events))


async def test_no_late_line_of_a_hundred_runs_that_end_at_once_is_lost() -> None:
    async with serving(requests_per_second=5) as (nexus, project):
        runs = [start_with(nexus, 3) for _ in range(100)]
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            for run in runs:
                later(300.0, run.finish)
                later(301.0, lambda run=run: run.checkpoint(step=3))  # type: ignore[misc]
            events = [event async for event in feed]
    assert steps(events) == {run.id: list(range(4)) for run in runs}


@pytest.mark.parametrize("rate", [2, 10])
async def test_a_feed_stays_within_the_requests_of_its_client(rate: int) -> None:
    async with serving(requests_per_second=rate) as (nexus, project):
        for _ in range(100):
            start_with(nexus, 1)
        async with project.runs.watch(pacing=FixedInterval(1.0)) as feed:
            await within(feed, 300)
    for seconds in (1.0, 10.0, 60.0):
        assert most_within(seconds, nexus) <= rate * seconds + rate + 1
    assert nexus.count(after=60.0, before=300.0) == pytest.approx(240 * rate, rel=0.05)


async def test_a_feed_stays_within_the_bytes_of_its_client() -> None:
    async with serving(bytes_per_second=20_000) as (nexus, project):
        for _ in range(20):
            start_with(nexus, 100)
        async with project.runs.watch(pacing=FixedInterval(1.0)) as feed:
            await within(feed, HOUR)
    size = sum(each.size for each in nexus.asked)
    assert 0.8 * 20_000 * HOUR < size < 1.1 * 20_000 * HOUR


async def test_the_calls_of_users_overtake_a_feed_that_takes_every_request() -> None:
    async with serving(requests_per_second=2) as (nexus, project):
        runs = [start_with(nexus, 1) for _ in range(100)]
        loop = asyncio.get_running_loop()
        async with project.runs.watch(pacing=FixedInterval(1.0)) as feed:
            following = asyncio.create_task(within(feed, 300))
            await asyncio.sleep(60)
            for run in runs[:20]:
                begun = loop.time()
                await project.runs.get(run.id)
                assert loop.time() - begun < 0.75
                await asyncio.sleep(3)
            await following


async def test_long_lists_take_a_tenth_of_the_bytes_at_most() -> None:
    rate = 50_000
    async with serving(bytes_per_second=rate, requests_per_second=10) as (nexus, project):
        for _ in range(LONG_LIST):
            nexus.start_run().finish()
        start_with(nexus, 1)
        async with project.runs.watch() as feed:
            await within(feed, HOUR)
    lists = [each for each in nexus.asked if each.kind == "list"]
    assert len(lists) > 2
    assert sum(each.size for each in lists[1:]) <= 0.1 * rate * (lists[-1].at - lists[0].at) * 1.01


async def test_lists_take_a_tenth_of_the_requests_at_most() -> None:
    async with serving(requests_per_second=0.5) as (nexus, project):
        for _ in range(10):
            start_with(nexus, 1)
        async with project.runs.watch(discovery_interval=1.0) as feed:
            await within(feed, HOUR)
    assert nexus.count("list") + nexus.count("run") <= 0.1 * 0.5 * HOUR * 1.01 + 1


async def test_few_runs_of_a_long_list_are_asked_for_each() -> None:
    async with serving(bytes_per_second=50_000, requests_per_second=10) as (nexus, project):
        for _ in range(LONG_LIST):
            nexus.start_run().finish()
        run = start_with(nexus, 1)
        async with project.runs.watch() as feed:
            await within(feed, 100)
            ended = asyncio.get_running_loop().time()
            run.finish()
            events = await within(feed, 60)
    assert ends(events) == {run.id: 1}
    assert nexus.count("list", after=ended) == 0


async def test_where_every_run_is_followed_none_is_asked_for_by_itself() -> None:
    async with serving() as (nexus, project):
        for _ in range(20):
            start_with(nexus, 1)
        async with project.runs.watch() as feed:
            await within(feed, HOUR)
    assert nexus.count("run") == 0
    assert nexus.count("list") == pytest.approx(HOUR / 30, abs=2)


async def test_a_list_that_did_not_change_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    split = listing._split

    def counted(body: bytes) -> object:
        nonlocal decoded
        decoded += 1
        return split(body)

    monkeypatch.setattr(listing, "_split", counted)
    async with serving() as (nexus, project):
        runs = [start_with(nexus, 1) for _ in range(3)]
        async with project.runs.watch() as feed:
            later(HALF_AN_HOUR, runs[0].finish)
            await within(feed, HOUR)
    assert nexus.count("list") > 100
    assert decoded == 2


async def test_a_feed_that_nobody_reads_does_not_hold_up_another_reader_of_the_client() -> None:
    async with serving(max_buffered_bytes=1 << 20) as (nexus, project):
        run = start_with(nexus, 3000)
        later(30.0, run.finish)
        async with project.runs.watch(buffer=10) as feed:
            await asyncio.sleep(10)
            async with asyncio.timeout(600):
                read = [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id)]
            assert read == list(range(3000))
            feed.stop()


async def test_what_was_let_go_for_another_reader_is_told_all_the_same() -> None:
    async with serving(max_buffered_bytes=1 << 20) as (nexus, project):
        run = start_with(nexus, 3000)
        async with project.runs.watch(buffer=10, stop_when_all_ended=True) as feed:
            await asyncio.sleep(10)
            async for _ in project.runs.stream_logs(run.id, follow=False):
                pass
            later(30.0, run.finish)
            events = [event async for event in feed]
    assert steps(events) == {run.id: list(range(3000))}
    assert ends(events) == {run.id: 1}


async def test_no_log_is_begun_while_there_is_no_room_for_one() -> None:
    async with serving() as (nexus, project):
        for _ in range(100):
            start_with(nexus, 20)
        before = len(asyncio.all_tasks())
        other = project._shared.room.share()
        await other.hold(1 << 30)
        async with project.runs.watch() as feed:
            await asyncio.sleep(60)
            assert (nexus.count("log"), len(asyncio.all_tasks()) - before < 20) == (0, True)
            other.leave()
            events = await within(feed, 60)
    assert sum(map(len, steps(events).values())) == 100 * 20
