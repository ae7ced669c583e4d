"""How many bytes of logs are read and not handed out yet."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from nexus_async.streaming.room import SMALL_BODY, UNKNOWN_BODY, Room
from nexus_async.testing import run_in_virtual_time

if TYPE_CHECKING:
    from nexus_async.streaming.room import Share

pytestmark = pytest.mark.virtual_time
MB = 1 << 20


async def held(room: Room, *sizes: int) -> list[Share]:
    shares = [room.share() for _ in sizes]
    for share, size in zip(shares, sizes, strict=True):
        await share.hold(size)
    return shares


async def is_waiting(task: asyncio.Task[None]) -> bool:
    await asyncio.sleep(1)
    return not task.done()


async def test_what_fits_does_not_wait() -> None:
    room = Room(64 * MB)
    shares = await held(room, 10 * MB, 10 * MB)
    assert [share.held for share in shares] == [10 * MB, 10 * MB]
    assert room.used == 20 * MB


async def test_a_body_of_unknown_length_begins_only_while_half_is_free() -> None:
    room = Room(64 * MB)
    (first,) = await held(room, 31 * MB)
    begun = asyncio.create_task(room.share().hold(UNKNOWN_BODY))
    assert await is_waiting(begun)
    first.leave()
    assert not await is_waiting(begun)


async def test_what_is_new_in_a_known_log_finds_room_to_the_limit() -> None:
    room = Room(64 * MB)
    _ = await held(room, 60 * MB)
    assert room.share().has_room(SMALL_BODY)


async def test_a_body_above_the_limit_is_read_alone() -> None:
    room = Room(MB)
    (first,) = await held(room, 5 * MB)
    other = asyncio.create_task(room.share().hold(SMALL_BODY))
    assert await is_waiting(other)
    first.leave()
    assert not await is_waiting(other)


async def test_the_eldest_may_always_grow() -> None:
    room = Room(10 * MB)
    eldest, _ = await held(room, 4 * MB, MB)
    await eldest.hold(20 * MB)
    assert room.used == 21 * MB


async def test_who_grows_goes_before_who_begins() -> None:
    room = Room(10 * MB)
    eldest, younger = await held(room, 4 * MB, MB)
    beginner = room.share()
    begins = asyncio.create_task(beginner.hold(UNKNOWN_BODY))
    await asyncio.sleep(0)
    grows = asyncio.create_task(younger.hold(8 * MB))
    assert await is_waiting(grows)
    eldest.leave()
    assert not await is_waiting(grows)
    assert await is_waiting(begins)
    younger.leave()
    await begins


async def test_cancelling_a_wait_takes_no_more_than_before() -> None:
    room = Room(10 * MB)
    _, younger = await held(room, 4 * MB, MB)
    grows = asyncio.create_task(younger.hold(8 * MB))
    assert await is_waiting(grows)
    grows.cancel()
    await asyncio.wait([grows])
    assert (younger.held, room.used) == (MB, 5 * MB)


async def test_a_cancelled_wait_lets_those_behind_it_through() -> None:
    room = Room(12 * MB)
    _, second, third = await held(room, 4 * MB, MB, MB)
    first_in_line = asyncio.create_task(second.hold(8 * MB))
    await asyncio.sleep(0)
    behind = asyncio.create_task(third.hold(2 * MB))
    assert await is_waiting(behind)
    first_in_line.cancel()
    assert not await is_waiting(behind)


class Holder:
    has_let_go = False

    def let_go(self) -> None:
        self.has_let_go = True


async def test_who_rests_lets_go_for_who_waits() -> None:
    room, holder = Room(10 * MB), Holder()
    resting = room.share(holder)
    await resting.hold(9 * MB)
    resting.is_resting = True
    await room.share().hold(UNKNOWN_BODY)
    assert (holder.has_let_go, resting.held) == (True, 0)


async def test_who_reads_does_not_let_go() -> None:
    room, holder = Room(10 * MB), Holder()
    reading = room.share(holder)
    await reading.hold(9 * MB)
    waits = asyncio.create_task(room.share().hold(UNKNOWN_BODY))
    assert await is_waiting(waits)
    assert not holder.has_let_go
    waits.cancel()


async def test_the_share_of_a_holder_that_is_forgotten_is_given_back() -> None:
    room, holder = Room(10 * MB), Holder()
    await room.share(holder).hold(9 * MB)
    waits = asyncio.create_task(room.share().hold(UNKNOWN_BODY))
    assert await is_waiting(waits)
    del holder
    gc.collect()
    assert not await is_waiting(waits)


@given(
    limit=st.integers(1, 40),
    sizes=st.lists(st.lists(st.integers(1, 50), min_size=1, max_size=4), min_size=1, max_size=12),
)
def test_whoever_waits_gets_room_and_the_limit_holds_but_for_one_body(limit: int, sizes: list[list[int]]) -> None:
    room = Room(limit * MB)

    async def read(growth: list[int]) -> None:
        share = room.share()
        try:
            for size in sorted(growth):
                await share.hold(size * MB)
                await asyncio.sleep(0.1)
        finally:
            share.leave()

    async def read_all() -> None:
        async with asyncio.timeout(1000), asyncio.TaskGroup() as group:
            for growth in sizes:
                group.create_task(read(growth))

    run_in_virtual_time(read_all)
    assert room.used == 0
    assert room.most <= (limit + max(map(max, sizes))) * MB
