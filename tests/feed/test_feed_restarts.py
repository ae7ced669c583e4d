"""A feed that is left anywhere and begun again: nothing is lost, and what is told again has the same ID."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import (
    Checkpoint,
    Event,
    FixedInterval,
    MemoryStore,
    RunAdded,
    RunEnded,
    RunEvent,
    SQLiteStore,
    StatusChanged,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nexus_async import Project
    from nexus_async.local import LocalNexus, LocalRun

virtual = pytest.mark.virtual_time
PACE = FixedInterval(2.0, jitter=0.0)


class CrashError(Exception):
    """End a session as a bug in its consumer would."""


async def train(run: LocalRun, steps: int, *, fails: bool) -> None:
    await asyncio.sleep(3)
    run.begin()
    for step in range(steps):
        await asyncio.sleep(5)
        run.checkpoint(step=step, totalLoss=1.0 / (step + 1))
    await asyncio.sleep(1)
    run.fail("out of memory") if fails else run.finish()


async def trained(nexus: LocalNexus) -> asyncio.Task[Any]:
    runs = [nexus.start_run() for _ in range(2)]
    return asyncio.create_task(
        asyncio.wait([asyncio.create_task(train(run, 3, fails=run is runs[1])) for run in runs])
    )


async def session(project: Project, crash_after: int | None, **options: Any) -> list[Event]:
    """Watch until all runs are over, or crash in the middle of handling an event; return what was told."""
    told: list[Event] = []
    with suppress(CrashError):
        async with project.runs.watch(
            stop_when_all_ended=True, pacing=PACE, discovery_interval=4.0, **options
        ) as feed:
            async for event in feed:
                told.append(event)
                if len(told) == crash_after:
                    raise CrashError
    return told


async def sessions(project: Project, every: int, **options: Any) -> list[list[Event]]:
    """Crash after every so many events, and go on until nothing is left to tell."""
    told = [await session(project, every, **options)]
    while len(told[-1]) == every:
        told.append(await session(project, every, **options))
    return told


def of_kind(kind: type[Event], told: list[list[Event]]) -> list[RunEvent]:
    return [
        event for events in told for event in events if isinstance(event, kind) and isinstance(event, RunEvent)
    ]


@virtual
@pytest.mark.parametrize("every", range(2, 12))
async def test_a_feed_that_crashes_at_any_event_loses_none(
    every: int, local_nexus: LocalNexus, project: Project
) -> None:
    training = await trained(local_nexus)
    told = await sessions(project, every, store=MemoryStore())
    await training
    steps = {(event.run_id, event.step) for events in told for event in events if isinstance(event, Checkpoint)}
    assert steps == {(run.id, step) for run in local_nexus.runs.values() for step in range(3)}
    assert {event.run_id for event in of_kind(RunEnded, told)} == set(local_nexus.runs)
    assert {event.run_id for event in of_kind(StatusChanged, told)} == set(local_nexus.runs)
    last = {
        event.run_id: event.status for event in of_kind(StatusChanged, told) if isinstance(event, StatusChanged)
    }
    assert sorted(last.values()) == ["Errored", "Finished"]


@virtual
@pytest.mark.parametrize("every", range(2, 12))
async def test_what_is_told_again_after_a_crash_is_the_one_that_was_in_hand(
    every: int, local_nexus: LocalNexus, project: Project
) -> None:
    training = await trained(local_nexus)
    told = await sessions(project, every, store=MemoryStore())
    await training
    counts = Counter(event.id for events in told for event in events)
    in_hand = {events[-1].id for events in told[:-1] if events}
    assert {event_id for event_id, count in counts.items() if count > 1} <= in_hand


@virtual
async def test_nothing_is_told_again_where_each_session_ends_well(
    local_nexus: LocalNexus, project: Project
) -> None:
    training, store = await trained(local_nexus), MemoryStore()
    told: list[Event] = []
    for _ in range(20):
        async with project.runs.watch(store=store, pacing=PACE, discovery_interval=4.0) as feed:
            for _ in range(2):
                try:
                    async with asyncio.timeout(20):
                        told.append(await anext(feed))
                except TimeoutError:
                    break
    await training
    assert set(Counter(event.id for event in told).values()) == {1}
    assert sum(isinstance(event, Checkpoint) for event in told) == 6
    assert sum(isinstance(event, RunEnded) for event in told) == 2


@virtual
@pytest.mark.parametrize("every", [2, 3, 5, 7])
async def test_tokens_that_a_user_keeps_resume_as_a_store_does(
    every: int, local_nexus: LocalNexus, project: Project
) -> None:
    training, tokens = await trained(local_nexus), dict[str, str]()
    told: list[list[Event]] = []
    while not told or len(told[-1]) == every:
        told.append(await session(project, every, cursors=tokens))
        tokens |= {event.run_id: event.cursor for event in told[-1] if isinstance(event, RunEvent)}
    await training
    steps = [(event.run_id, event.step) for events in told for event in events if isinstance(event, Checkpoint)]
    assert sorted(steps) == sorted((run_id, step) for run_id in local_nexus.runs for step in range(3))
    assert len(of_kind(RunEnded, told)) == 2


@virtual
async def test_a_run_that_was_told_to_its_end_is_told_no_more(local_nexus: LocalNexus, project: Project) -> None:
    await (await trained(local_nexus))
    store = MemoryStore()
    assert await session(project, None, store=store, include_ended=True)
    assert await session(project, None, store=store, include_ended=True) == []


@virtual
async def test_a_run_that_ended_while_nobody_watched_is_told_to_its_end(
    local_nexus: LocalNexus, project: Project
) -> None:
    training, store = await trained(local_nexus), MemoryStore()
    before = await session(project, 4, store=store)
    await training
    await asyncio.sleep(3600)
    after = await session(project, None, store=store)
    assert {event.run_id for event in after if isinstance(event, RunEnded)} == set(local_nexus.runs)
    assert not any(isinstance(event, RunAdded) and event in before[:-1] for event in after)


async def test_a_path_keeps_a_feed_in_a_file(tmp_path: Path, local_nexus: LocalNexus, project: Project) -> None:
    run, path = local_nexus.start_run(), tmp_path / "state.db"
    run.begin()
    for step in range(6):
        run.checkpoint(step=step)
    steps: list[int] = []
    for session_of in (3, 10):
        async with project.runs.watch(store=path, pacing=FixedInterval(0.01), settle=0.01) as feed:
            async for event in feed:
                if isinstance(event, Checkpoint):
                    steps.append(event.step)
                    if len(steps) in {session_of, 6}:
                        break
    assert steps == [0, 1, 2, 3, 4, 5]


async def test_events_are_kept_beside_cursors_where_a_store_wants_them(
    tmp_path: Path, local_nexus: LocalNexus, project: Project
) -> None:
    run = local_nexus.start_run()
    run.begin()
    run.checkpoint(step=1, totalLoss=float("nan"))
    run.finish()
    store = SQLiteStore(tmp_path / "state.db", keep_events=True)
    async with project.runs.watch(
        [run.id], store=store, pacing=FixedInterval(0.01), settle=0.01, stop_when_all_ended=True
    ) as feed:
        told = [event.id async for event in feed]
    assert [event.id for _, event in await store.read_events()] == told
