"""Streams, feeds, hubs, stores and their events, as a user writes them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import UTC, datetime
from typing import Any, assert_type

from nexus_async import (
    Adaptive,
    CaughtUp,
    Checkpoint,
    Client,
    Completions,
    Disconnected,
    Event,
    Feed,
    FeedStats,
    FixedInterval,
    FollowFailed,
    Hub,
    HubStats,
    Lagged,
    LogEntry,
    LogReset,
    LogResetWarning,
    LogStream,
    MemoryStore,
    Pacing,
    Project,
    ProjectUnavailable,
    Reconnected,
    Run,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    Runs,
    RunStats,
    SQLiteStore,
    StatusChanged,
    Store,
    Subscription,
    WatchOptions,
    decode_event,
    encode_event,
    watch,
)


async def follow_one_run(runs: Runs, pacing: Pacing) -> str:
    stream = runs.stream_logs("run_1", since=datetime.now(UTC), tail=3, pacing=pacing, timeout=3600)
    assert_type(stream, LogStream)
    async for checkpoint in stream:
        assert_type(checkpoint, Checkpoint)
        assert_type(checkpoint.metrics.get("totalLoss"), float | None)
        assert_type(checkpoint.at, datetime | None)
    assert_type(stream.run, Run | None)
    assert_type(stream.resets, tuple[LogReset, ...])
    generator: AsyncGenerator[Checkpoint, None] = stream
    await generator.aclose()
    return stream.cursor


async def wait_for_runs(runs: Runs) -> None:
    assert_type(await runs.wait("run_1", timeout=3600), Run)
    assert_type(await runs.wait(["run_1", "run_2"], raise_on_failure=True), list[Run])
    completed = runs.as_completed(["run_1", "run_2"])
    assert_type(completed, Completions)
    async for run in completed:
        assert_type(run, Run)


async def follow_many_runs(project: Project) -> None:
    async with project.runs.watch(store="state.db", where=lambda run: run.flow_id == "flow_1") as feed:
        assert_type(feed, Feed)
        async for event in feed:
            assert_type(event, Event)
            feed.ack(event)
        async for batch in feed.batches(max_size=10, max_wait=0.5):
            assert_type(batch, list[Event])
        feed.add("run_1")
        await feed.remove("run_1")
        feed.stop()
        assert_type(feed.cursors, Mapping[str, str])


def read_how_a_feed_does(feed: Feed) -> None:
    stats = feed.stats()
    assert_type(stats, FeedStats)
    assert_type(stats.runs, dict[str, RunStats])
    assert_type(stats.runs["run_1"].lag, float | None)


async def watch_projects(project: Project, other: Client) -> None:
    options: WatchOptions = {"ack": "manual", "start": "latest", "pacing": Adaptive(price=2.0)}
    async with watch({"vision": project}, other.get_project("proj_2"), **options) as feed:
        assert_type(feed, Feed)
    watch(project, store=MemoryStore(keep_events=True), pacing=FixedInterval(5, jitter=0))


async def give_a_feed_to_many(feed: Feed) -> None:
    async with feed.hub(replay=100) as hub:
        assert_type(hub, Hub)
        assert_type(hub.stats(), HubStats)
        subscription = hub.subscribe("run_1", after=hub.place)
        assert_type(subscription, Subscription)
        async for event in subscription:
            assert_type(event, Event)
        async for chunk in hub.sse(heartbeat=10):
            assert_type(chunk, bytes)


async def keep_events(store: Store) -> None:
    await store.open()
    assert_type(await store.load(), dict[str, str])
    await store.aclose()
    stores: list[Store] = [MemoryStore(), SQLiteStore("state.db", keep_events=True, lease=5)]
    assert_type(len(stores), int)
    numbered = await SQLiteStore("state.db").read_events(after=3, run_id="run_1")
    assert_type(numbered, list[tuple[int, Event]])


def write_an_event(event: Event) -> Event:
    assert_type(encode_event(event), bytes)
    return decode_event(encode_event(event))


def read_an_event(event: Event) -> object:
    if isinstance(event, RunEvent):
        assert_type(event.cursor, str)
        assert_type(event.label, str | None)
    match event:
        case Checkpoint():
            return assert_type(event.step, int)
        case LogEntry():
            return assert_type(event.payload, Any)
        case RunAdded() | RunEnded() | StatusChanged():
            return assert_type(event.run, Run)
        case LogReset():
            return assert_type(event.resumes_at, int)
        case FollowFailed():
            return assert_type(event.fatal, bool)
        case RunRemoved():
            return assert_type(event.run_id, str)
        case _:
            return read_what_is_of_no_run(event)


def read_what_is_of_no_run(event: Event) -> object:
    match event:
        case Disconnected():
            return assert_type(event.since, float)
        case Reconnected():
            return assert_type(event.seconds, float)
        case ProjectUnavailable():
            return assert_type(event.project_id, str)
        case Lagged():
            return assert_type(event.after, str | None)
        case CaughtUp():
            return assert_type(event.id, str)
        case _:
            return None


def take_a_warning(warning: LogResetWarning) -> Warning:
    return warning
