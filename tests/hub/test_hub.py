"""A hub gives one feed to many, from where each wants it, and ends as the feed does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hub_pieces import Driven, checkpoint, checkpoints, driven, got, outage

from nexus_async import Checkpoint, ConfigurationError, FixedInterval, Hub, InvalidArgumentError, MemoryStore

if TYPE_CHECKING:
    from nexus_async import Event, Project
    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


async def test_each_subscriber_gets_every_event() -> None:
    async with driven() as (feed, hub):
        first, second = hub.subscribe(), hub.subscribe()
        await feed.tell(*checkpoints(1, 2))
        assert await got(first) == await got(second) == [1, 2]


async def test_a_subscriber_gets_what_came_before_it_first() -> None:
    async with driven() as (feed, hub):
        await feed.tell(*checkpoints(1, 2))
        subscription = hub.subscribe()
        await feed.tell(checkpoint(3))
        assert await got(subscription) == [1, 2, 3]


async def test_it_is_subscribed_before_it_is_first_asked() -> None:
    async with driven(replay=0) as (feed, hub):
        subscription = hub.subscribe()
        await feed.tell(*checkpoints(1, 2))
        assert await got(subscription) == [1, 2]


async def test_no_more_is_replayed_than_was_asked_for() -> None:
    async with driven(replay=2) as (feed, hub):
        await feed.tell(*checkpoints(1, 2, 3, 4, 5))
        assert await got(hub.subscribe()) == [4, 5]


async def test_nothing_is_replayed_where_nothing_is_held() -> None:
    async with driven(replay=0) as (feed, hub):
        await feed.tell(checkpoint(1))
        assert await got(hub.subscribe()) == []


async def test_what_came_after_an_event_is_resumed() -> None:
    async with driven(replay=3) as (feed, hub):
        await feed.tell(*checkpoints(1, 2, 3, 4, 5))
        assert [await got(hub.subscribe(after=f"log:{step}")) for step in (3, 4, 5)] == [[4, 5], [5], []]


async def test_where_an_event_is_not_held_the_gap_is_told_and_all_that_is_held_follows() -> None:
    async with driven(replay=3) as (feed, hub):
        await feed.tell(*checkpoints(1, 2, 3, 4, 5))
        assert await got(hub.subscribe(after="log:1")) == ["Lagged after log:1", 3, 4, 5]
        assert (hub.holds("log:1"), hub.holds("log:3")) == (False, True)


async def test_a_place_of_another_hub_is_a_gap_whatever_was_told_there() -> None:
    async with driven() as (feed, hub), driven() as (other_feed, other):
        await feed.tell(*checkpoints(1, 2))
        await other_feed.tell(*checkpoints(2, 1))
        assert len(await got(hub.subscribe(after=other.place))) == 3


@pytest.mark.parametrize("number", ["3", "-1", "x", "9" * 30, "٣"])
async def test_a_place_that_was_never_reached_is_a_gap(number: str) -> None:
    async with driven() as (feed, hub):
        await feed.tell(*checkpoints(1, 2))
        name = hub.place.partition("-")[0]
        assert len(await got(hub.subscribe(after=f"{name}-{number}"))) == 3


async def test_a_hubs_place_leaves_out_all_that_was() -> None:
    async with driven(replay=0) as (feed, hub):
        await feed.tell(*checkpoints(1, 2))
        subscription = hub.subscribe(after=hub.place)
        await feed.tell(checkpoint(3))
        assert await got(subscription) == [3]


async def test_an_event_that_is_told_anew_is_resumed_after_its_last_time() -> None:
    async with driven(replay=2) as (feed, hub):
        await feed.tell(*checkpoints(1, 1, 2))
        assert await got(hub.subscribe(after="log:1")) == [2]


async def test_a_subscriber_of_one_run_gets_that_run_and_what_concerns_all() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1), checkpoint(2, "run_2"))
        subscription = hub.subscribe("run_1")
        await feed.tell(checkpoint(3), checkpoint(4, "run_2"), outage())
        assert await got(subscription) == [1, 3, "Disconnected"]


async def test_subscribers_end_with_the_feed_after_all_that_it_told() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe()
        await feed.tell(checkpoint(1))
        await feed.end()
        assert [event.id async for event in subscription] == ["log:1"]
        await hub.wait()


async def test_what_ended_the_feed_is_raised_by_each_subscriber_and_by_waiting() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe()
        await feed.tell(checkpoint(1), ConfigurationError("gone"))
        assert await anext(subscription) == checkpoint(1)
        for late in (subscription, hub.subscribe(after=hub.place)):
            with pytest.raises(ConfigurationError, match="gone"):
                await anext(late)
        with pytest.raises(ConfigurationError, match="gone"):
            await hub.wait()


async def test_who_comes_after_the_end_gets_what_is_held_and_ends() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        await feed.end()
        assert [event.id async for event in hub.subscribe()] == ["log:1"]


async def test_leaving_the_hub_ends_its_subscribers() -> None:
    async with driven() as (_, hub):
        subscription = hub.subscribe()
        waiting = asyncio.create_task(got(subscription))
        await asyncio.sleep(0.001)
    assert await waiting == []
    assert await got(subscription) == []


async def test_a_subscription_that_is_closed_gives_nothing_more() -> None:
    async with driven() as (feed, hub):
        async with hub.subscribe() as subscription:
            await feed.tell(checkpoint(1))
            assert hub.stats().subscribers == 1
        await feed.tell(checkpoint(2))
        assert (await got(subscription), hub.stats().subscribers) == ([], 0)


async def test_an_anext_that_is_cancelled_loses_nothing() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(subscription), 1)
        await feed.tell(checkpoint(1))
        assert await got(subscription) == [1]


async def test_two_cannot_wait_on_one_subscription() -> None:
    async with driven() as (_, hub):
        subscription = hub.subscribe()
        waiting = asyncio.create_task(got(subscription))
        await asyncio.sleep(0.001)
        with pytest.raises(RuntimeError, match="already waiting"):
            await anext(subscription)
        await waiting


async def test_its_stats_count_events_and_those_that_are_held() -> None:
    async with driven(replay=2) as (feed, hub):
        await feed.tell(*checkpoints(1, 2, 3))
        assert (hub.stats().events, hub.stats().held) == (3, 2)


@pytest.mark.parametrize("replay", [-1, 1.5, True, "many"])
async def test_a_replay_that_is_no_count_is_refused(replay: int) -> None:
    with pytest.raises(ConfigurationError, match="replay="):
        Hub(Driven(), replay=replay)


async def test_a_subscription_that_makes_no_sense_is_refused() -> None:
    async with driven() as (_, hub):
        with pytest.raises(ConfigurationError, match="buffer=0"):
            hub.subscribe(buffer=0)
        with pytest.raises(InvalidArgumentError, match="no run's ID"):
            hub.subscribe(" ")
        assert hub.stats().subscribers == 0


async def test_a_hub_is_entered_once_and_used_inside() -> None:
    async with driven() as (feed, hub):
        with pytest.raises(RuntimeError, match="entered once"):
            await hub.__aenter__()
    with pytest.raises(RuntimeError, match="inside `async with`"):
        await Hub(feed).wait()


async def test_a_feed_has_a_hub_while_it_is_entered(project: Project) -> None:
    feed = project.runs.watch()
    with pytest.raises(RuntimeError, match="inside `async with` of its feed"):
        feed.hub()


async def told(project: Project, **options: Any) -> list[Event]:
    """Return what a feed with these options has to tell through a hub."""
    events: list[Event] = []
    async with project.runs.watch(pacing=PACE, **options) as feed, feed.hub() as hub:
        with suppress(TimeoutError):
            async with asyncio.timeout(20):
                async for event in hub.subscribe():
                    events.append(event)  # noqa: PERF401 - what came before the timeout is kept
    return events


@pytest.mark.parametrize("ack", ["auto", "manual"])
async def test_an_event_is_handled_when_the_hub_has_it(
    local_nexus: LocalNexus, project: Project, ack: str
) -> None:
    store = MemoryStore()
    local_nexus.start_run().checkpoint(step=1)
    assert await told(project, store=store, ack=ack)
    assert await told(project, store=store, ack=ack) == []


async def test_a_hub_of_a_feed_that_holds_a_burst_loses_nobody_who_is_quick(
    local_nexus: LocalNexus, project: Project
) -> None:
    run = local_nexus.start_run()
    for step in range(2000):
        run.checkpoint(step=step)
    assert len(await told(project)) >= 2000


async def test_replay_is_what_the_feed_is_asked_for(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    for step in range(5):
        run.checkpoint(step=step)
    async with project.runs.watch(pacing=PACE) as feed, feed.hub(replay=2) as hub:
        await asyncio.sleep(20)
        assert await got(hub.subscribe()) == [3, 4]


async def test_a_feed_goes_on_after_its_hub(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    async with project.runs.watch(pacing=PACE) as feed:
        async with feed.hub():
            await asyncio.sleep(20)
        run.checkpoint(step=7)
        assert isinstance(await anext(feed), Checkpoint)
