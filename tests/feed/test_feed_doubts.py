"""What is no failure, what is no news, and what makes no sense to ask of a feed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import FaultyNexus, later, of_kind, on_logs_of, refusal, serving, steps, within

from nexus_async import (
    CaughtUp,
    Checkpoint,
    ConfigurationError,
    Disconnected,
    Event,
    FixedInterval,
    FollowFailed,
    InvalidArgumentError,
    InvalidCursorError,
    MemoryStore,
    RunEnded,
    StoreBusyError,
    StoreLostError,
    watch,
)
from nexus_async.logs import Cursor

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aiohttp import web

    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, count: int = 3, **metrics: Any) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step, **metrics)
    return run


async def test_to_wait_for_the_budget_of_bytes_is_no_failure() -> None:
    async with serving(bytes_per_second=1000) as (nexus, project):
        runs = [trained(nexus, 30, message="x" * 3000) for _ in range(4)]
        async with project.runs.watch(pacing=PACE, stop_when_all_ended=True) as feed:
            for run in runs:
                later(500, run.finish)
            events = [event async for event in feed]
    assert [event for event in events if isinstance(event, (FollowFailed, Disconnected))] == []
    assert len(of_kind(RunEnded, events)) == 4


async def test_a_stream_waits_for_the_budget_of_bytes_as_long_as_it_takes() -> None:
    async with serving(bytes_per_second=100) as (nexus, project):
        run = trained(nexus, 30, message="x" * 3000)
        run.finish()
        seen = [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id, pacing=PACE)]
    assert seen == list(range(30))


async def test_caught_up_waits_for_a_run_whose_first_poll_failed() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        nexus.fault = on_logs_of(run, refusal(429))
        async with project.runs.watch(caught_up=True, pacing=PACE) as feed:
            before = await within(feed, 2)
            nexus.fault = lambda _: None
            after = await within(feed, 50)
    assert of_kind(CaughtUp, before) == []
    assert isinstance(after[-1], CaughtUp)
    assert len(of_kind(Checkpoint, after)) == 3


async def test_a_run_that_is_gone_is_told_so_once_however_often_the_list_changes() -> None:
    async with serving() as (nexus, project):
        token = Cursor("run_gone", project_id=project.id).token()
        async with project.runs.watch(cursors=[token], pacing=PACE) as feed:
            events = await within(feed, 40)
            for _ in range(3):
                trained(nexus)
                events += await within(feed, 40)
    assert [event.run_id for event in of_kind(FollowFailed, events)] == ["run_gone"]


async def test_only_runs_that_are_named_are_told_of_whatever_is_resumed() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        token = Cursor("run_gone", project_id=project.id).token()
        async with project.runs.watch([run.id, run.id + "x"], cursors=[token], pacing=PACE) as feed:
            events = await within(feed, 100)
    assert "run_gone" not in {event.run_id for event in of_kind(FollowFailed, events)}


async def test_a_pause_of_a_day_is_not_waited_for() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        nexus.fault = on_logs_of(run, refusal(429, retry_after=86_400))
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 1)
            nexus.fault = lambda _: None
            assert steps(await within(feed, 300)) == {run.id: [0, 1, 2]}


class LeasedStore(MemoryStore):
    """Fail as a test says."""

    lease: Any = 4.0
    failure: Exception | None = None

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        if self.failure is not None:
            raise self.failure
        await super().save(cursors, events)


async def test_a_store_that_is_locked_for_a_while_is_written_to_later() -> None:
    async with serving() as (nexus, project):
        run, store = trained(nexus), LeasedStore()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await within(feed, 2)
            store.failure = StoreBusyError("locked")
            run.checkpoint(step=3)
            seen = await within(feed, 3)
            store.failure = None
            run.checkpoint(step=4)
            seen += await within(feed, 20)
        assert steps(seen) == {run.id: [3, 4]}
        assert set(await store.load()) == {run.id}


async def test_nothing_is_told_after_a_long_stop_before_the_store_proves_to_be_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving() as (nexus, project):
        trained(nexus)
        store, loop = LeasedStore(), asyncio.get_running_loop()
        async with project.runs.watch(store=store, pacing=PACE) as feed:
            await asyncio.sleep(0.5)
            awakened = loop.time() + 60
            monkeypatch.setattr(loop, "time", lambda: awakened)
            store.failure = StoreLostError("taken over")
            with pytest.raises(StoreLostError):
                await anext(feed)
            monkeypatch.undo()


async def test_runs_are_added_while_a_feed_is_open_alone() -> None:
    async with serving() as (_, project):
        feed = project.runs.watch()
        with pytest.raises(RuntimeError, match="add runs inside `async with`, before it is stopped"):
            feed.add("run_1")
        async with feed:
            feed.stop()
            with pytest.raises(RuntimeError, match="add runs inside `async with`, before it is stopped"):
                feed.add("run_1")
        with pytest.raises(RuntimeError, match="add runs inside `async with`, before it is stopped"):
            feed.add("run_1")


async def test_a_filter_that_has_to_be_awaited_is_refused() -> None:
    async def fits(_: object) -> bool:
        return True

    async with serving() as (_, project):
        with pytest.raises(ConfigurationError, match=r"where=.* is a coroutine function"):
            project.runs.watch(where=fits)  # type: ignore[arg-type]


async def test_a_token_under_another_runs_name_is_refused() -> None:
    async with serving() as (_, project):
        with pytest.raises(InvalidCursorError, match="the cursor is of run_b, not of run_a"):
            project.runs.watch(cursors={"run_a": Cursor("run_b").token()})


async def test_what_is_no_project_cannot_be_watched() -> None:
    with pytest.raises(
        InvalidArgumentError, match=r"'proj_x' is no project: pass what client.get_project returns"
    ):
        watch("proj_x")  # type: ignore[arg-type]


async def test_a_stream_with_no_pacing_is_refused_by_name() -> None:
    async with serving() as (_, project):
        with pytest.raises(ConfigurationError, match="pacing=5 is no pacing"):
            project.runs.stream_logs("run_1", pacing=5)  # type: ignore[arg-type]


async def test_a_log_that_appears_with_the_last_status_is_read_by_a_stream() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, 2)
        log_id, snapshots = run.log_ids[0], 0

        def open_another(request: web.Request) -> None:
            """Open a log at the last snapshot, so that only the status after it tells of it."""
            nonlocal snapshots
            if run.is_over and request.path.endswith(log_id):
                snapshots += 1
                if snapshots == 2:
                    run._logs[run.open_log()].append(b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":100}}')
                    run._encoded = None

        nexus.fault = open_another
        stream = project.runs.stream_logs(run.id, pacing=PACE)
        seen = [(await anext(stream)).step for _ in range(2)]
        run.finish()
        seen += [checkpoint.step async for checkpoint in stream]
    assert seen == [0, 1, 100]
