"""A subscriber that is too slow is told so and cut, and slows nobody."""

from __future__ import annotations

import asyncio

import pytest
from hub_pieces import checkpoint, checkpoints, driven, got, outage

pytestmark = pytest.mark.virtual_time


async def test_who_is_behind_by_more_than_its_buffer_is_told_and_cut() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe(buffer=2)
        await feed.tell(*checkpoints(1, 2, 3, 4))
        assert await got(subscription) == [1, 2, "Lagged after 2"]
        assert (subscription.is_cut, hub.stats().cut, hub.stats().subscribers) == (True, 1, 0)


async def test_who_is_behind_by_its_buffer_and_no_more_is_not() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe(buffer=2)
        await feed.tell(*checkpoints(1, 2))
        assert await got(subscription) == [1, 2]
        await feed.tell(*checkpoints(3, 4))
        assert await got(subscription) == [3, 4]


async def test_who_was_cut_resumes_after_what_it_got() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe(buffer=2)
        await feed.tell(*checkpoints(1, 2, 3, 4))
        *_, lagged = [event async for event in subscription]
        assert await got(hub.subscribe(after=getattr(lagged, "after", None))) == [3, 4]


async def test_a_replay_takes_no_room_of_the_buffer() -> None:
    async with driven() as (feed, hub):
        await feed.tell(*checkpoints(1, 2, 3, 4))
        subscription = hub.subscribe(buffer=1)
        await feed.tell(checkpoint(5))
        assert await got(subscription) == [1, 2, 3, 4, 5]


async def test_who_is_cut_during_its_replay_is_told_after_what() -> None:
    async with driven() as (feed, hub):
        await feed.tell(*checkpoints(1, 2))
        subscription = hub.subscribe(buffer=1)
        await feed.tell(*checkpoints(3, 4))
        assert await got(subscription) == [1, 2, 3, "Lagged after 3"]


async def test_who_is_cut_before_it_got_anything_is_told_after_what_it_resumed() -> None:
    async with driven(replay=0) as (feed, hub):
        await feed.tell(checkpoint(1))
        resumed, fresh = hub.subscribe("run_1", after=hub.place, buffer=1), hub.subscribe("run_2", buffer=1)
        await feed.tell(outage(), checkpoint(2), checkpoint(3, "run_2"))
        assert await got(resumed) == ["Disconnected", "Lagged after 2"]
        assert await got(fresh) == ["Disconnected", "Lagged after 2"]


async def test_events_of_other_runs_take_no_room() -> None:
    async with driven() as (feed, hub):
        subscription = hub.subscribe("run_1", buffer=1)
        await feed.tell(*[checkpoint(step, "run_2") for step in range(9)], checkpoint(10))
        assert await got(subscription) == [10]


async def test_who_does_not_read_slows_neither_the_feed_nor_others() -> None:
    async with driven() as (feed, hub):
        idle, quick = hub.subscribe(buffer=1), hub.subscribe(buffer=1)
        reading = asyncio.create_task(got(quick))
        await feed.tell(*checkpoints(*range(500)))
        assert feed.asked == 501
        assert (await reading, await got(idle)) == ([*range(500)], [0, "Lagged after 1"])
