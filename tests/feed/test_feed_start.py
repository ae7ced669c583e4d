"""Where a feed begins, in which order it tells, and how it ends."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import FaultyNexus, later, of_kind, serving, steps, within

from nexus_async import (
    CaughtUp,
    Checkpoint,
    Event,
    FixedInterval,
    RunAdded,
    RunEnded,
    RunEvent,
    StatusChanged,
)

if TYPE_CHECKING:
    from nexus_async import Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, *, ends: bool = False) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(4):
        run.checkpoint(step=step, time=nexus.now() - 1000 * (40 - 10 * step))
    if ends:
        run.finish()
    return run


def late_log(run: LocalRun) -> Any:
    """Return the log itself: a run that is over writes no more to it."""
    return next(iter(run._logs.values()))


async def told(project: Project, *args: Any, seconds: float = 100.0, **options: Any) -> list[Event]:
    async with project.runs.watch(*args, **{"pacing": PACE, **options}) as feed:
        return await within(feed, seconds)


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_latest_leaves_out_all_that_is_there() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(start="latest", pacing=PACE) as feed:
            assert steps(await within(feed, 50)) == {}
            run.checkpoint(step=9)
            assert steps(await within(feed, 50)) == {run.id: [9]}


async def test_latest_reads_later_runs_from_their_first_entry() -> None:
    async with serving() as (nexus, project), project.runs.watch(start="latest", pacing=PACE) as feed:
        await within(feed, 10)
        run = trained(nexus)
        assert steps(await within(feed, 100)) == {run.id: [0, 1, 2, 3]}


async def test_since_leaves_out_what_is_older() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        events = await told(project, since=nexus.now() / 1000 - 25)
    assert steps(events) == {run.id: [2, 3]}


async def test_since_concerns_later_runs_too() -> None:
    async with serving() as (nexus, project), project.runs.watch(since=1e12, pacing=PACE) as feed:
        await within(feed, 10)
        trained(nexus)
        assert steps(await within(feed, 100)) == {}


async def test_tail_tells_the_last_entries_of_what_is_there() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        assert steps(await told(project, tail=1)) == {run.id: [3]}


async def test_tail_does_not_concern_later_runs() -> None:
    async with serving() as (nexus, project), project.runs.watch(tail=1, pacing=PACE) as feed:
        await within(feed, 10)
        run = trained(nexus)
        assert steps(await within(feed, 100)) == {run.id: [0, 1, 2, 3]}


@pytest.mark.parametrize("options", [{"since": 1e12}, {"tail": 0}, {"start": "latest"}])
async def test_a_run_that_is_resumed_begins_at_its_cursor_whatever_else_is_asked(options: dict[str, Any]) -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        second = of_kind(Checkpoint, await told(project))[1]
        events = await told(project, cursors=[second.cursor], **options)
    assert steps(events) == {run.id: [2, 3]}


async def test_cursors_are_taken_as_a_mapping_too() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        second = of_kind(Checkpoint, await told(project))[1]
        assert steps(await told(project, cursors={run.id: second.cursor})) == {run.id: [2, 3]}


async def test_a_run_that_is_resumed_is_not_added_anew() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        last = of_kind(Checkpoint, await told(project))[-1]
        assert await told(project, cursors=[last.cursor]) == []


async def test_caught_up_is_told_once_all_that_was_there_is_read() -> None:
    async with serving() as (nexus, project):
        for _ in range(3):
            trained(nexus)
        async with project.runs.watch(caught_up=True, pacing=PACE) as feed:
            later(20, lambda: trained(nexus))
            events = await within(feed, 100)
    before = events[: kinds(events).index("CaughtUp")]
    assert len(of_kind(CaughtUp, events)) == 1
    assert len(of_kind(Checkpoint, before)) == 12
    assert len(of_kind(Checkpoint, events)) == 16


async def test_caught_up_is_told_where_nothing_is_there() -> None:
    async with serving() as (_, project):
        assert kinds(await told(project, caught_up=True)) == ["CaughtUp"]


async def test_nothing_is_told_of_being_caught_up_unasked() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        assert of_kind(CaughtUp, await told(project)) == []


async def test_a_feed_ends_with_the_last_run_where_that_is_asked_for() -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(2)]
        later(50, runs[0].finish)
        later(90, runs[1].finish)
        async with project.runs.watch(stop_when_all_ended=True, pacing=PACE) as feed:
            events = [event async for event in feed]
    assert {event.run_id for event in of_kind(RunEnded, events)} == {run.id for run in runs}


async def test_a_feed_of_nothing_ends_at_once_where_that_is_asked_for() -> None:
    async with serving() as (_, project), project.runs.watch(stop_when_all_ended=True) as feed:
        assert [event async for event in feed] == []


async def test_a_feed_goes_on_without_runs_where_nothing_else_is_asked_for() -> None:
    async with serving() as (nexus, project), project.runs.watch(pacing=PACE) as feed:
        await within(feed, 1000)
        trained(nexus)
        assert len(of_kind(RunAdded, await within(feed, 50))) == 1


async def test_stopping_hands_out_what_was_read_and_asks_for_nothing_more() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await asyncio.sleep(10)
            feed.stop()
            asked = len(nexus.asked)
            run.checkpoint(step=9)
            events = [event async for event in feed]
            await asyncio.sleep(1000)
    assert steps(events) == {run.id: [0, 1, 2, 3]}
    assert len(nexus.asked) == asked


async def test_stopping_gives_up_what_is_being_asked_for() -> None:
    async with serving() as (nexus, project):
        trained(nexus)

        async def never(_: object, answer: Any) -> Any:
            await asyncio.sleep(1e6)
            return answer

        async with project.runs.watch(pacing=PACE) as feed:
            nexus.fault = lambda _: never
            await asyncio.sleep(10)
            feed.stop()
            assert [event async for event in feed] == []


async def test_the_status_is_told_before_the_entries_that_were_read_after_it() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        async with project.runs.watch(pacing=FixedInterval(1000.0)) as feed:
            await within(feed, 5)
            run.begin()
            run.checkpoint(step=1)
            run.finish()
            events = await within(feed, 100)
    assert kinds(events) == ["StatusChanged", "Checkpoint", "RunEnded"]


async def test_a_run_is_told_to_have_ended_by_what_ended_it() -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(3)]
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            runs[0].finish()
            runs[1].fail("out of memory")
            await project.runs.kill(runs[2].id)
            events = await within(feed, 100)
    ended = {event.run_id: event for event in of_kind(RunEnded, events)}
    assert [ended[run.id].outcome for run in runs] == ["Finished", "Errored", "Cancelled"]
    assert ended[runs[1].id].run.status.message == "out of memory"


async def test_entries_that_appear_after_the_end_are_told_before_it() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, discovery_interval=1.0) as feed:
            await within(feed, 20)
            run.finish()
            later(1.5, lambda: late_log(run).append(b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":99}}'))
            events = await within(feed, 100)
    assert kinds(events) == ["StatusChanged", "Checkpoint", "RunEnded"]


@pytest.mark.parametrize(("options", "seconds"), [({}, 2.0), ({"settle": 30.0}, 30.0)])
async def test_an_ended_runs_logs_are_read_again_after_they_settled(
    options: dict[str, Any], seconds: float
) -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(
            [run.id], pacing=PACE, drain_timeout=100, discovery_interval=1.0, **options
        ) as feed:
            await within(feed, 20)
            asked = nexus.count("log")
            run.finish()
            ended = asyncio.get_running_loop().time()
            await within(feed, 200)
    snapshots = [each.at for each in nexus.asked if each.kind == "log" and each.at >= ended]
    assert nexus.count("log") > asked
    assert snapshots[-1] - snapshots[-2] >= seconds - 0.01


async def test_logs_that_go_on_growing_are_given_up_and_told_so() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, drain_timeout=6.0, discovery_interval=1.0) as feed:
            await within(feed, 20)
            run.finish()
            for second in range(100):
                entry = b'{"ev":"late","t":%d}' % second
                later(0.5 + second, lambda entry=entry: late_log(run).append(entry))  # type: ignore[misc]
            [ended] = of_kind(RunEnded, await within(feed, 60))
    assert not ended.drained


async def test_a_status_event_is_named_by_run_status_and_date() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 20)
            run.finish()
            [changed] = of_kind(StatusChanged, await within(feed, 60))
    assert changed.id == f"{run.id}:Finished:{changed.run.status.update_date}"
    assert (changed.previous, changed.status) == ("Running", "Finished")


async def test_every_event_of_a_run_names_its_project() -> None:
    async with serving() as (nexus, project):
        trained(nexus, ends=True)
        events = await told(project, include_ended=True)
    assert {event.project_id for event in events if isinstance(event, RunEvent)} == {project.id}


def go_on(run: LocalRun) -> None:
    """Let a run go on that was over."""
    run.overview, run._encoded, run.update_date = "Running", None, run._now()
    run._over.clear()


async def test_a_run_that_went_on_and_ended_again_unseen_is_drained_anew() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, settle=4.0) as feed:
            await within(feed, 20)
            run.finish()
            [_] = await within(feed, 12)  # found by a look every 30 seconds, and read once
            go_on(run)
            run.fail("no")
            later(4.5, lambda: late_log(run).append(b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":99}}'))
            events = await within(feed, 100)
    assert kinds(events) == ["StatusChanged", "Checkpoint", "RunEnded"]


async def test_a_log_that_appears_at_the_very_end_is_read() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, settle=4.0) as feed:
            await within(feed, 20)
            run.finish()
            [_] = await within(feed, 12)
            run.open_log()
            run.checkpoint(step=99)
            events = await within(feed, 100)
    assert kinds(events) == ["Checkpoint", "RunEnded"]


async def test_a_run_that_ended_anew_between_two_snapshots_is_drained_anew() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, settle=50.0, drain_timeout=1000.0) as feed:
            await within(feed, 20)
            run.finish()
            await within(feed, 20)
            go_on(run)
            run.fail("no")
            later(50, lambda: late_log(run).append(b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":99}}'))
            events = await within(feed, 300)
    assert kinds(events) == ["StatusChanged", "Checkpoint", "RunEnded"]


async def test_a_run_that_was_seen_to_end_is_drained_whatever_the_servers_clock_says() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE, settle=9.0) as feed:
            await within(feed, 20)
            run.finish()
            run.update_date -= 3_600_000
            later(17, lambda: late_log(run).append(b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":99}}'))
            events = await within(feed, 100)
    assert kinds(events) == ["StatusChanged", "Checkpoint", "RunEnded"]
