"""The options of `watch` beside each other, what makes no sense, and what a restart makes of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import FaultyNexus, of_kind, on_logs_of, refusal, serving, steps, within

from nexus_async import (
    CaughtUp,
    Checkpoint,
    ConfigurationError,
    Event,
    FixedInterval,
    InvalidArgumentError,
    InvalidCursorError,
    MemoryStore,
    NexusError,
    RunAdded,
    RunEnded,
    RunRemoved,
    watch,
)
from nexus_async.logs import Cursor

if TYPE_CHECKING:
    from pathlib import Path

    from nexus_async import Project
    from nexus_async.local import LocalNexus, LocalRun

virtual = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


class CountingStore(MemoryStore):
    """Count the saves."""

    def __init__(self) -> None:
        super().__init__()
        self.saves = 0

    async def save(self, cursors: Any, events: Any = ()) -> None:
        self.saves += 1
        await super().save(cursors, events)


def trained(nexus: FaultyNexus | LocalNexus, count: int = 5) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step, time=nexus.now() - 1000 * (10 * (count - step)))
    return run


@virtual
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pacing", 5.0),
        ("pacing", "fast"),
        ("store", 7),
        ("cursors", 7),
        ("cursors", [7]),
        ("cursors", ["nxc1.garbage"]),
        ("since", datetime(2026, 1, 1)),  # noqa: DTZ001 - what the test is about
        ("since", True),
        ("tail", 1.5),
        ("buffer", 1.5),
        ("buffer", True),
        ("discovery_interval", "30"),
        ("settle", None),
        ("drain_timeout", 0),
        ("run_ids", 7),
    ],
)
async def test_what_makes_no_sense_is_refused_where_it_is_passed(name: str, value: Any) -> None:
    async with serving() as (_, project):
        with pytest.raises(NexusError, match=name.rstrip("s")) as caught:
            project.runs.watch(**{name: value})
    assert isinstance(caught.value, (ConfigurationError, InvalidArgumentError, InvalidCursorError))


@virtual
@pytest.mark.parametrize("beside", [{"since": 1.0}, {"tail": 1}])
async def test_latest_is_refused_beside_what_else_says_where_to_begin(beside: dict[str, Any]) -> None:
    async with serving() as (_, project):
        with pytest.raises(ConfigurationError, match="leave out since and tail"):
            project.runs.watch(start="latest", **beside)


@virtual
async def test_a_senseless_option_of_several_projects_is_refused_too() -> None:
    async with serving() as (_, project):
        with pytest.raises(ConfigurationError, match="tail=-1"):
            watch(project, tail=-1)


@virtual
async def test_since_is_taken_as_a_datetime() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        since = datetime.fromtimestamp(nexus.now() / 1000 - 25, tz=UTC)
        async with project.runs.watch(since=since, pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [3, 4]}


@virtual
async def test_since_and_tail_hold_back_what_either_does() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(since=nexus.now() / 1000 - 35, tail=2, pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [3, 4]}


@virtual
async def test_tail_counts_the_events_of_all_logs_of_a_run() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 2)
        run.open_log()
        run.checkpoint(step=2)
        async with project.runs.watch(tail=2, pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [1, 2]}


@virtual
@pytest.mark.parametrize("options", [{"since": 1.7e9}, {"tail": 2}, {"start": "latest"}])
@pytest.mark.parametrize("crash_after", range(2, 7))
async def test_a_filter_loses_nothing_over_a_crash(crash_after: int, options: dict[str, Any]) -> None:
    async with serving() as (nexus, project):
        run, store, told = trained(nexus, 3), MemoryStore(), list[Event]()
        with suppress(ZeroDivisionError):
            async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
                await asyncio.sleep(20)
                for step in range(3, 9):
                    run.checkpoint(step=step)
                async for event in feed:
                    told.append(event)
                    if len(told) == crash_after:
                        raise ZeroDivisionError
        async with project.runs.watch(store=store, pacing=PACE, **options) as feed:
            told += await within(feed, 20)
    assert set(range(3, 9)) <= {event.step for event in of_kind(Checkpoint, told)}


@virtual
async def test_a_filter_with_nothing_to_hold_back_commits_nothing() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        store = CountingStore()
        async with project.runs.watch(store=store, since=nexus.now() / 1000 - 35, pacing=PACE) as feed:
            await within(feed, 100)
            saves = store.saves
            await within(feed, 1000)
            assert store.saves == saves


@virtual
async def test_since_alone_concerns_later_runs_where_tail_is_given_beside_it() -> None:
    async with serving() as (nexus, project):
        since = nexus.now() / 1000
        async with project.runs.watch(since=since, tail=1, pacing=PACE) as feed:
            await within(feed, 39)
            run = trained(nexus)
            assert steps(await within(feed, 50)) == {run.id: [2, 3, 4]}


@virtual
async def test_batches_count_what_is_told_and_not_what_is_held_back() -> None:
    async with serving() as (nexus, project):
        for _ in range(4):
            run = nexus.start_run()
            run.checkpoint(step=0, time=1)
            run.checkpoint(step=1)
        async with project.runs.watch(since=1.0e9, pacing=PACE) as feed:
            await asyncio.sleep(10)
            feed.stop()
            assert [len(batch) async for batch in feed.batches(max_size=4)] == [4, 4]


@virtual
async def test_what_is_held_back_does_not_count_as_queued() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        run.begin()
        async with project.runs.watch(since=1.0e9, pacing=PACE) as feed:
            await asyncio.sleep(100)
            assert feed.stats().queued == 1


@virtual
async def test_a_run_that_where_leaves_out_does_not_keep_a_feed_open() -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        async with project.runs.watch(where=lambda _: False, stop_when_all_ended=True) as feed:
            assert await within(feed, 100) == []


@virtual
async def test_a_feed_does_not_end_before_all_that_is_there_was_looked_at() -> None:
    async with serving() as (nexus, project):
        _, run = trained(nexus), trained(nexus)
        async with project.runs.watch(
            where=lambda each: each.id == run.id, stop_when_all_ended=True, pacing=PACE
        ) as feed:
            assert steps(await within(feed, 20)) == {run.id: [0, 1, 2, 3, 4]}


@virtual
async def test_a_feed_ends_with_its_last_run_also_where_that_is_removed() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(stop_when_all_ended=True, pacing=PACE) as feed:
            await within(feed, 20)
            await feed.remove(run.id)
            assert [type(event) async for event in feed] == [RunRemoved]


@virtual
async def test_a_feed_ends_where_its_only_run_does_not_exist() -> None:
    async with (
        serving() as (_, project),
        project.runs.watch(["run_nowhere"], stop_when_all_ended=True) as feed,
    ):
        [failed] = [event async for event in feed]
    assert type(failed).__name__ == "FollowFailed"


@virtual
async def test_a_feed_of_ended_runs_ends_when_all_are_replayed() -> None:
    async with serving() as (nexus, project):
        for _ in range(3):
            trained(nexus).finish()
        async with project.runs.watch(include_ended=True, stop_when_all_ended=True, pacing=PACE) as feed:
            assert len(of_kind(RunEnded, [event async for event in feed])) == 3


@virtual
async def test_caught_up_waits_for_a_run_that_is_resumed_too() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        token = Cursor(run.id, project_id=project.id, status="Running", status_date=run.update_date).token()
        async with project.runs.watch(cursors=[token], caught_up=True, pacing=PACE) as feed:
            events = await within(feed, 20)
    assert [type(event) for event in events] == [Checkpoint] * 5 + [CaughtUp]


@virtual
async def test_caught_up_does_not_wait_for_a_run_that_is_removed_before_it_was_read() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(caught_up=True, pacing=PACE, buffer=1) as feed:
            assert isinstance(await anext(feed), RunAdded)
            await feed.remove(run.id)
            assert len(of_kind(CaughtUp, await within(feed, 20))) == 1


@virtual
async def test_tokens_of_runs_of_other_projects_are_left_alone() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 1)
        token = Cursor("run_elsewhere", project_id="proj_elsewhere").token()
        async with project.runs.watch(cursors=[token], pacing=PACE) as feed:
            assert steps(await within(feed, 100)) == {run.id: [0]}
        assert not any("elsewhere" in each.path for each in nexus.asked)


@virtual
async def test_a_run_that_is_resumed_and_is_gone_is_told_as_failed_for_good() -> None:
    async with serving() as (_, project):
        token = Cursor("run_gone", project_id=project.id).token()
        async with project.runs.watch(cursors=[token], pacing=PACE) as feed:
            events = await within(feed, 100)
    assert [(type(event).__name__, getattr(event, "fatal", None)) for event in events] == [("FollowFailed", True)]


@virtual
async def test_the_token_of_a_stream_resumes_a_feed() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 3)
        stream = project.runs.stream_logs(run.id)
        await anext(stream)
        async with project.runs.watch(cursors=[stream.cursor], pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [1, 2]}


@virtual
async def test_the_token_of_a_feed_resumes_a_stream() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 3)
        async with project.runs.watch(pacing=PACE) as feed:
            second = of_kind(Checkpoint, await within(feed, 20))[1]
        assert (await anext(project.runs.stream_logs(run.id, cursor=second.cursor))).step == 2


@virtual
async def test_a_token_that_names_no_project_is_of_the_only_one() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 2)
        token = Cursor(run.id, status="Running").token()
        async with project.runs.watch(cursors=[token], pacing=PACE) as feed:
            events = await within(feed, 20)
    assert of_kind(RunAdded, events) == []
    assert steps(events) == {run.id: [0, 1]}


@virtual
async def test_tokens_count_beside_what_a_store_holds_of_other_runs() -> None:
    async with serving() as (nexus, project):
        run, other, store = trained(nexus, 2), trained(nexus, 2), MemoryStore()
        async with project.runs.watch([run.id], store=store, pacing=PACE) as feed:
            await within(feed, 20)
        token = Cursor(other.id, project_id=project.id, status="Running").token()
        async with project.runs.watch(store=store, cursors=[token], pacing=PACE) as feed:
            events = await within(feed, 20)
    assert of_kind(RunAdded, events) == []
    assert steps(events) == {other.id: [0, 1]}


@virtual
async def test_what_a_store_holds_counts_before_a_token() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus, 3), MemoryStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            first = of_kind(Checkpoint, await within(feed, 20))[0]
        run.checkpoint(step=3)
        async with project.runs.watch(store=store, cursors=[first.cursor], pacing=PACE) as feed:
            assert steps(await within(feed, 20)) == {run.id: [3]}


@virtual
async def test_the_bytes_of_every_log_of_a_run_are_counted() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 40)
        run.open_log()
        for step in range(40, 80):
            run.checkpoint(step=step)
        async with project.runs.watch(pacing=FixedInterval(1.0, jitter=0.0)) as feed:
            await within(feed, 200)
            stats = feed.stats()
    size = sum(log.size for log in run._logs.values())
    assert stats.bytes_per_second == pytest.approx(size, rel=0.1)


@virtual
async def test_errors_in_a_row_are_counted_anew_after_a_poll_that_was_answered() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 1)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 7)
            nexus.fault = on_logs_of(run, refusal(500))
            await within(feed, 10)
            assert feed.stats().runs[run.id].errors > 0
            nexus.fault = lambda _: None
            await within(feed, 40)
            assert feed.stats().runs[run.id].errors == 0


@virtual
async def test_the_time_between_a_checkpoint_and_its_reading_is_told() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 1)
        async with project.runs.watch(pacing=FixedInterval(60.0, jitter=0.0)) as feed:
            await within(feed, 20)
            run.checkpoint(step=1)
            await within(feed, 60)
            assert feed.stats().runs[run.id].lag == pytest.approx(40, abs=1)


async def test_a_second_feed_on_a_path_waits_for_the_first(
    tmp_path: Path, local_nexus: LocalNexus, project: Project
) -> None:
    run, path = trained(local_nexus, 3), tmp_path / "state.db"
    told: list[Event] = []

    async def second() -> None:
        async with project.runs.watch(store=str(path), pacing=FixedInterval(0.02)) as feed:
            async for event in feed:
                told.append(event)
                break

    async with project.runs.watch(store=path, pacing=FixedInterval(0.02)) as feed:
        for _ in range(4):
            await anext(feed)
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0.1)
        assert told == []
    run.checkpoint(step=3)
    await waiting
    assert steps(told) == {run.id: [3]}
