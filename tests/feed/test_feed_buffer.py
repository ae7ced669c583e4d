"""What is read and not handed out yet: in order, bounded, and nothing is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from nexus_async.streaming.feed.buffer import Buffer
from nexus_async.testing import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.virtual_time


async def filled(size: int) -> Buffer[int]:
    buffer: Buffer[int] = Buffer(size)
    for item in range(size):
        await buffer.put(item)
    return buffer


async def a_while() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("size", "taken"), [(1, 1), (2, 2), (5, 3), (10, 6)])
async def test_who_puts_into_a_full_buffer_waits_until_half_of_it_is_gone(size: int, taken: int) -> None:
    buffer = await filled(size)
    putting = asyncio.create_task(buffer.put(size))
    for _ in range(taken):
        await a_while()
        assert not putting.done()
        await buffer.get()
    await a_while()
    assert putting.done()


async def test_room_waits_as_put_does() -> None:
    buffer = await filled(2)
    waiting = asyncio.create_task(buffer.room())
    await a_while()
    assert buffer.is_full
    assert not waiting.done()
    await buffer.get()
    await buffer.get()
    await waiting
    assert not buffer.is_full


async def test_what_is_pushed_waits_for_no_room() -> None:
    buffer = await filled(2)
    buffer.push(2)
    assert [await buffer.get() for _ in range(3)] == [0, 1, 2]


async def test_who_waits_longest_for_room_is_first() -> None:
    buffer = await filled(1)
    first = asyncio.create_task(buffer.put(1))
    await a_while()
    await buffer.get()
    second = asyncio.create_task(buffer.put(2))
    direct = buffer.put(3)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(direct, 1)  # it waits behind the others
    assert await buffer.get() == 1
    await first
    assert await buffer.get() == 2
    await second


async def take(buffer: Buffer[int], count: int) -> list[int]:
    return [await buffer.get() for _ in range(count)]


async def test_who_puts_at_the_moment_when_there_is_room_again_overtakes_nobody() -> None:
    buffer = await filled(1)
    waiting = asyncio.create_task(buffer.put(1))
    await a_while()
    await buffer.get()
    taking = asyncio.create_task(take(buffer, 2))
    await buffer.put(2)  # before the other one wakes
    assert await taking == [1, 2]
    await waiting


async def test_a_putter_that_is_cancelled_holds_up_no_other() -> None:
    buffer = await filled(1)
    cancelled, other = asyncio.create_task(buffer.put(1)), asyncio.create_task(buffer.put(2))
    await a_while()
    cancelled.cancel()
    await buffer.get()
    await other
    assert await buffer.get() == 2


async def test_a_get_that_is_cancelled_when_an_item_came_loses_it_not() -> None:
    buffer: Buffer[int] = Buffer(1)
    getting = asyncio.create_task(buffer.get())
    await a_while()
    buffer.push(1)
    getting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await getting
    assert await buffer.get() == 1


async def test_what_is_put_back_is_taken_again_in_its_order() -> None:
    buffer = await filled(4)
    taken = [await buffer.get() for _ in range(3)]
    buffer.put_back(taken)
    assert [await buffer.get() for _ in range(4)] == [0, 1, 2, 3]


async def test_a_closed_buffer_gives_what_is_left_and_then_ends() -> None:
    buffer = await filled(2)
    buffer.close()
    assert [await buffer.get(), await buffer.get()] == [0, 1]
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await buffer.get()


async def test_a_buffer_that_is_closed_with_a_failure_raises_it_after_what_is_left() -> None:
    buffer = await filled(1)
    buffer.close(ValueError("x"))
    buffer.close()
    assert await buffer.get() == 0
    with pytest.raises(ValueError, match="x"):
        await buffer.get()


async def test_closing_wakes_who_waits_for_an_item() -> None:
    buffer: Buffer[int] = Buffer(1)
    waiting = asyncio.create_task(buffer.get())
    await a_while()
    buffer.close(ValueError("x"))
    with pytest.raises(ValueError, match="x"):
        await waiting


class Scene:
    """Run producers of numbered items and a consumer that is cancelled now and then."""

    def __init__(self, size: int, producers: list[list[int]]) -> None:
        self.size = size
        self.producers = producers
        self.buffer: Buffer[tuple[int, int]] = Buffer(size)
        self.taken: list[tuple[int, int]] = []

    async def produce(self, number: int) -> None:
        for item, turns in enumerate(self.producers[number]):
            await self.buffer.put((number, item))
            assert len(self.buffer) <= self.size
            for _ in range(turns):
                await asyncio.sleep(0)

    async def consume(self, patience: Iterator[int]) -> None:
        while len(self.taken) < sum(map(len, self.producers)):
            getting = asyncio.create_task(self.buffer.get())
            for _ in range(next(patience, 10)):
                await asyncio.sleep(0)
            getting.cancel()
            [item] = await asyncio.gather(getting, return_exceptions=True)
            if not isinstance(item, BaseException):
                self.taken.append(item)

    async def play(self, patience: list[int]) -> None:
        producing = [asyncio.create_task(self.produce(number)) for number in range(len(self.producers))]
        await self.consume(iter(patience))
        await asyncio.gather(*producing)


@given(
    size=st.integers(1, 5),
    producers=st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=4),
    patience=st.lists(st.integers(0, 5), max_size=40),
)
def test_nothing_is_lost_doubled_or_reordered_whoever_is_cancelled(
    size: int, producers: list[list[int]], patience: list[int]
) -> None:
    scene = Scene(size, producers)
    run_in_virtual_time(lambda: scene.play(patience))
    for number, items in enumerate(producers):
        assert [item for who, item in scene.taken if who == number] == list(range(len(items)))
