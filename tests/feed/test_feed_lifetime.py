"""How long a feed lives, what it leaves behind, and how it tells how it is doing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import FaultyNexus, of_kind, refusal, serving, steps, within

from nexus_async import Checkpoint, Event, FixedInterval, RunAdded, RunEnded
from nexus_async.pacing import Adaptive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nexus_async import Feed, Project
    from nexus_async.local import LocalNexus, LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus | LocalNexus, count: int = 3) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    return run


async def leaves_nothing(nexus: FaultyNexus) -> bool:
    """Tell whether no task and no request is left behind some time later."""
    await asyncio.sleep(1)
    asked, tasks = len(nexus.asked), asyncio.all_tasks()
    await asyncio.sleep(1000)
    ours = [task for task in tasks if "Feed" in task.get_name() or "_poll" in repr(task)]
    return len(nexus.asked) == asked and not ours


async def test_leaving_in_the_middle_leaves_nothing_behind() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            async for _ in feed:
                break
        assert await leaves_nothing(nexus)
        assert not run.is_over


async def test_closing_from_another_task_ends_who_waits() -> None:
    async with serving() as (nexus, project), project.runs.watch(pacing=PACE) as feed:
        waiting = asyncio.create_task(within(feed, 1e6))
        await asyncio.sleep(10)
        await feed.aclose()
        assert await waiting == []
        assert await leaves_nothing(nexus)


async def test_closing_twice_does_nothing_more() -> None:
    async with serving() as (_, project), project.runs.watch() as feed:
        await feed.aclose()
        await feed.aclose()


async def test_a_wait_that_is_cancelled_loses_nothing() -> None:
    async with serving() as (nexus, project):
        run, events = trained(nexus), list[Event]()
        async with project.runs.watch(pacing=PACE) as feed:
            for _ in range(400):
                try:
                    async with asyncio.timeout(0.05):
                        events.append(await anext(feed))
                except TimeoutError:
                    pass
    assert steps(events) == {run.id: [0, 1, 2]}


async def test_two_waits_at_once_are_refused() -> None:
    async with serving() as (_, project), project.runs.watch() as feed:
        waiting = asyncio.create_task(anext(feed))
        await asyncio.sleep(1)
        with pytest.raises(RuntimeError, match="already waiting for its next event"):
            await anext(feed)
        waiting.cancel()


async def test_a_feed_is_used_inside_of_async_with() -> None:
    async with serving() as (_, project):
        with pytest.raises(RuntimeError, match="inside `async with`"):
            await anext(project.runs.watch())


async def test_a_feed_is_entered_once() -> None:
    async with serving() as (_, project), project.runs.watch() as feed:
        with pytest.raises(RuntimeError, match="was entered before"):
            await feed.__aenter__()


@pytest.fixture
async def feed(project: Project) -> AsyncIterator[Feed]:
    async with project.runs.watch(pacing=PACE) as feed:
        yield feed


async def test_a_fixture_enters_and_leaves_it(feed: Feed, local_nexus: LocalNexus) -> None:
    run = trained(local_nexus)
    assert steps(await within(feed, 60)) == {run.id: [0, 1, 2]}


async def test_it_is_entered_in_one_task_and_left_in_another() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        feed = await asyncio.create_task(project.runs.watch(pacing=PACE).__aenter__())
        assert await asyncio.create_task(within(feed, 30))
        await asyncio.create_task(feed.__aexit__(None, None, None))
        assert await leaves_nothing(nexus)


async def test_ten_feeds_at_once_tell_the_same() -> None:
    async def told(project: Project) -> list[str]:
        async with project.runs.watch(pacing=PACE) as feed:
            return sorted(event.id for event in await within(feed, 60))

    async with serving() as (nexus, project):
        trained(nexus)
        first, *others = await asyncio.gather(*(told(project) for _ in range(10)))
        assert first
        assert all(other == first for other in others)
        assert await leaves_nothing(nexus)


async def test_cancelling_who_consumes_closes_it() -> None:
    async def consume(project: Project) -> None:
        async with project.runs.watch(pacing=PACE) as feed:
            async for _ in feed:
                pass

    async with serving() as (nexus, project):
        trained(nexus)
        consuming = asyncio.create_task(consume(project))
        await asyncio.sleep(30)
        consuming.cancel()
        await asyncio.wait([consuming])
        assert consuming.cancelled()
        assert await leaves_nothing(nexus)


async def test_an_error_of_where_is_raised_as_it_is() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(where=lambda run: run["no such name"], pacing=PACE) as feed:
            with pytest.raises(KeyError, match="no such name"):
                await anext(feed)


async def test_what_was_read_before_an_error_is_handed_out_first() -> None:
    async with serving() as (nexus, project):
        run, first = trained(nexus), True

        def fits(_: object) -> bool:
            nonlocal first
            was_first, first = first, False
            return was_first or bool(1 / 0)

        async with project.runs.watch(where=fits, pacing=PACE) as feed:
            await asyncio.sleep(10)
            run.finish()
            await asyncio.sleep(60)
            told = [await anext(feed) for _ in range(4)]
            with pytest.raises(ZeroDivisionError):
                await anext(feed)
    assert steps(told) == {run.id: [0, 1, 2]}


async def test_batches_hold_at_most_so_many_events() -> None:
    async with serving() as (nexus, project):
        trained(nexus, 10)
        async with project.runs.watch(stop_when_all_ended=False, pacing=PACE) as feed:
            await asyncio.sleep(10)
            feed.stop()
            sizes = [len(batch) async for batch in feed.batches(max_size=4)]
    assert sizes == [4, 4, 3]


@pytest.mark.parametrize("seconds", [1.0, 30.0])
async def test_batches_wait_for_at_most_so_long(seconds: float) -> None:
    async with serving() as (nexus, project), project.runs.watch(pacing=PACE) as feed:
        trained(nexus)
        batches = feed.batches(max_wait=seconds)
        await anext(batches)
        nexus.start_run()
        await anext(batches)
        # found by a list every 30 seconds, told at the end of the wait
        assert asyncio.get_running_loop().time() % 30 == pytest.approx(seconds % 30, abs=0.1)
        await batches.aclose()


async def test_a_batch_that_a_failure_cuts_short_is_handed_out_first() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await asyncio.sleep(10)
            nexus.fault = lambda _: refusal(401)
            batches = feed.batches(max_wait=1000)
            assert len(await anext(batches)) == 5
            with pytest.raises(Exception, match="401"):
                await anext(batches)


async def test_stats_tell_of_each_run() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            checkpoints = of_kind(Checkpoint, await within(feed, 20))
            nexus.fault = lambda _: refusal(500)
            await within(feed, 12)
            stats = feed.stats().runs[run.id]
            now = nexus.now() / 1000
            size = sum(len(log.body()) for log_id in run.log_ids if (log := run.find_log(log_id)) is not None)
    assert size - 200 < stats.log_bytes < size  # as it was, less what closes a body
    assert (stats.project_id, stats.status, stats.cursor) == (project.id, "Running", checkpoints[-1].cursor)
    assert stats.lag is not None
    assert stats.last_poll is not None
    assert stats.lag < 1
    assert now - 20 < stats.last_poll < now - 10
    assert stats.errors >= 2


async def test_stats_tell_of_the_whole() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=FixedInterval(1.0, jitter=0.0), buffer=50) as feed:
            await asyncio.sleep(100)
            stats = feed.stats()
            nexus.fault = lambda _: refusal(429)
            await asyncio.sleep(5)
            limited = feed.stats()
    assert 95 <= stats.polls <= 105
    assert stats.wasted_polls == stats.polls - 1
    assert stats.requests_per_second == pytest.approx(1.0, rel=0.1)
    assert stats.bytes_per_second == pytest.approx(nexus.asked[50].size, rel=0.2)
    assert (stats.queued, stats.failed_polls, stats.rate_limited) == (4, 0, 0)
    assert limited.failed_polls == limited.rate_limited >= 1


async def test_a_poll_that_brings_an_entry_without_a_time_is_not_wasted() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=FixedInterval(1.0, jitter=0.0)) as feed:
            await asyncio.sleep(10.5)
            before = feed.stats()
            next(iter(run._logs.values())).append(b'{"ev":"odd","t":0}')
            await asyncio.sleep(10)
            after = feed.stats()
    assert after.polls - before.polls - 1 == after.wasted_polls - before.wasted_polls


async def test_a_feed_says_what_it_watches() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 10)
            assert repr(feed) == f"Feed({project.id}, runs=1)"


@pytest.mark.parametrize("pacing", [FixedInterval(50.0, jitter=0.0), Adaptive(1.0)])
async def test_the_pacing_says_when_runs_are_polled(pacing: FixedInterval | Adaptive) -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(pacing=pacing) as feed:
            await within(feed, 501)
    polls = [each.at for each in nexus.asked if each.kind == "log"]
    assert (len(polls) == 11) == isinstance(pacing, FixedInterval)


async def test_no_event_comes_after_a_runs_end() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            run.finish()
            events = await within(feed, 500)
    assert isinstance(events[-1], RunEnded)
    assert of_kind(RunAdded, events) == []
