"""Blocks that are bounded by one timer, as `asyncio.timeout` would bound each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, strategies as st

from nexus_async.http.deadlines import Deadlines
from nexus_async.testing import run_in_virtual_time

pytestmark = pytest.mark.virtual_time


def now() -> float:
    return round(asyncio.get_running_loop().time(), 6)


async def stay(deadlines: Deadlines, within: float, seconds: float, *, begin: float = 0.0) -> tuple[bool, float]:
    """Stay in a block for some seconds; return whether it ended in time, and when it was left."""
    await asyncio.sleep(begin)
    try:
        with deadlines.within(within):
            await asyncio.sleep(seconds)
    except TimeoutError:
        return False, now()
    return True, now()


async def fail_when_stopped(deadlines: Deadlines) -> None:
    with deadlines.within(5):
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise LookupError from None


async def test_a_block_that_is_left_in_time_is_left_alone() -> None:
    assert await stay(Deadlines(), 5, 4) == (True, 4)
    await asyncio.sleep(10)


async def test_a_block_that_takes_too_long_ends_on_time() -> None:
    assert await stay(Deadlines(), 5, 60) == (False, 5)


async def test_nothing_is_left_of_a_deadline_that_expired() -> None:
    deadlines = Deadlines()
    await stay(deadlines, 5, 60)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    assert await stay(deadlines, 5, 4) == (True, 9)


async def test_a_block_that_somebody_cancels_is_cancelled() -> None:
    task = asyncio.create_task(stay(Deadlines(), 5, 60))
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_cancellation_at_the_moment_of_the_deadline_wins() -> None:
    task = asyncio.create_task(stay(Deadlines(), 5, 60))
    asyncio.get_running_loop().call_later(5, task.cancel)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_block_that_cleans_up_after_a_cancellation_ends_on_time_too() -> None:
    left: list[tuple[bool, float]] = []

    async def clean_up() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            left.append(await stay(Deadlines(), 5, 60))

    task = asyncio.create_task(clean_up())
    await asyncio.sleep(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert left == [(False, 6)]
    assert task.cancelling() == 1


@pytest.mark.parametrize(("outer", "inner"), [(5, 3), (3, 5), (3, 3)])
async def test_of_two_blocks_around_each_other_the_one_that_is_due_first_ends(outer: float, inner: float) -> None:
    deadlines = Deadlines()
    ends: list[tuple[bool, float]] = []

    async def stay_twice() -> None:
        with deadlines.within(outer):
            ends.append(await stay(deadlines, inner, 60))
            await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        await stay_twice()
    assert now() == outer
    assert ends == ([(False, inner)] if inner < outer else [])
    assert (task := asyncio.current_task())
    assert task.cancelling() == 0


async def test_a_deadline_of_no_time_ends_a_block_at_its_first_wait() -> None:
    deadlines = Deadlines()
    assert await stay(deadlines, 0, 60) == (False, 0)
    assert await stay(deadlines, -1, 60) == (False, 0)


@pytest.fixture
async def timers(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Note when timers are set to go off."""
    loop, noted = asyncio.get_running_loop(), list[float]()
    call_at = loop.call_at

    def note(when: float, *args: Any, **options: Any) -> asyncio.TimerHandle:
        noted.append(when)
        return call_at(when, *args, **options)

    monkeypatch.setattr(loop, "call_at", note)
    return noted


async def test_a_thousand_blocks_have_one_timer(timers: list[float]) -> None:
    deadlines = Deadlines()
    for _ in range(1000):
        with deadlines.within(5):
            pass
    assert timers == [5]


async def test_a_shorter_block_takes_the_timer_over(timers: list[float]) -> None:
    deadlines = Deadlines()

    async def stay_for_good(within: float) -> None:
        with deadlines.within(within):
            await asyncio.Event().wait()

    await asyncio.gather(*map(stay_for_good, (100, 50, 10)), return_exceptions=True)
    assert timers == [100, 50, 10, 50, 100]


async def test_a_block_that_takes_its_time_to_clean_up_is_cancelled_once() -> None:
    deadlines, cleaned = Deadlines(), list[float]()

    async def clean_up() -> None:
        with deadlines.within(5):
            try:
                await asyncio.sleep(60)
            finally:
                await stay(deadlines, 20, 10)
                cleaned.append(now())

    with pytest.raises(TimeoutError):
        await clean_up()
    assert cleaned == [15]


async def test_an_error_that_leaves_a_block_is_passed_on() -> None:
    deadlines = Deadlines()
    with pytest.raises(LookupError), deadlines.within(5):
        raise LookupError
    stopped = asyncio.create_task(fail_when_stopped(deadlines))
    with pytest.raises(LookupError):
        await stopped
    assert stopped.cancelling() == 0


async def test_a_timeout_of_asyncio_around_it_goes_first_where_it_is_shorter() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await stay(Deadlines(), 5, 60)
    assert now() == 2


bounds = st.integers(1, 1000).map(lambda tenths: tenths / 10)


@given(st.lists(st.tuples(bounds, bounds, bounds), max_size=20))
def test_each_of_many_blocks_ends_as_it_would_alone(blocks: list[tuple[float, float, float]]) -> None:
    async def all_of_them() -> list[tuple[bool, float]]:
        deadlines = Deadlines()
        return await asyncio.gather(
            *(stay(deadlines, within, seconds, begin=begin) for within, seconds, begin in blocks)
        )

    ends = run_in_virtual_time(all_of_them)
    for (within, seconds, begin), (in_time, left) in zip(blocks, ends, strict=True):
        assert left == pytest.approx(begin + min(within, seconds))
        assert in_time == (seconds < within) or seconds == within


@pytest.mark.parametrize(("seconds", "end"), [(60, (False, 5)), (4, (True, 4))])
def test_it_serves_one_loop_after_another(seconds: float, end: tuple[bool, float]) -> None:
    deadlines = Deadlines()
    assert run_in_virtual_time(lambda: stay(deadlines, 5, seconds)) == end
    assert run_in_virtual_time(lambda: stay(deadlines, 5, 60)) == (False, 5)
