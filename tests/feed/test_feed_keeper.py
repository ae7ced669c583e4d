"""How far a feed was handled, kept in its store: often enough, never too far, and by one writer."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from feed_pieces import NotingStore, checkpoint

from nexus_async import InvalidCursorError, StoreError, StoreLostError
from nexus_async.config import COMMIT_INTERVAL
from nexus_async.logs import Cursor
from nexus_async.streaming.feed.keeper import SLICE, Keeper

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.virtual_time

FIRST, SECOND = Cursor("run_1", status="Creating").token(), Cursor("run_1", status="Running").token()


def handle(keeper: Keeper, *indices: int, run_id: str = "run_1") -> None:
    for index in indices:
        keeper.hand_out(checkpoint(index, run_id))
        keeper.ack(checkpoint(index, run_id))


@asynccontextmanager
async def keeping(store: NotingStore) -> AsyncIterator[tuple[Keeper, asyncio.Task[None]]]:
    """Keep, in a task of its own, until the block is left; it is for the test to close."""
    keeper = Keeper(store, ())
    await keeper.open()
    running = asyncio.create_task(keeper.run())
    try:
        yield keeper, running
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, StoreError):
            await running


async def test_a_keeper_without_a_store_keeps_at_hand() -> None:
    keeper = Keeper(None, [FIRST])
    assert await keeper.open() == {"run_1": Cursor.read(FIRST)}
    handle(keeper, 0)
    await keeper.run()
    await keeper.aclose()
    assert keeper.cursors == {"run_1": "run_1 after 0"}


async def test_the_cursor_of_the_store_counts_more_than_the_one_that_is_given() -> None:
    keeper = Keeper(NotingStore({"run_1": SECOND}), [FIRST, Cursor("run_2").token()])
    cursors = await keeper.open()
    assert cursors == {"run_1": Cursor.read(SECOND), "run_2": Cursor("run_2")}


async def test_a_store_of_many_cursors_is_read_without_holding_up_the_loop() -> None:
    kept = {f"run_{number}": Cursor(f"run_{number}", status="Running").token() for number in range(2000)}
    keeper, turns = Keeper(NotingStore(kept), ()), 0
    opening = asyncio.create_task(keeper.open())
    while not opening.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 2000 / SLICE
    assert keeper.cursors == kept
    await keeper.aclose()


async def test_a_store_that_holds_garbage_is_let_go_of() -> None:
    store = NotingStore({"run_1": "garbage"})
    with pytest.raises(InvalidCursorError):
        await Keeper(store, ()).open()
    assert not store.is_open


def test_a_cursor_that_is_none_is_refused_before_anything_is_opened() -> None:
    with pytest.raises(InvalidCursorError):
        Keeper(NotingStore(), ["garbage"])


async def test_all_that_is_handled_within_an_interval_is_one_commit() -> None:
    store = NotingStore()
    async with keeping(store) as (keeper, _):
        handle(keeper, *range(50))
        handle(keeper, 0, run_id="run_2")
        await asyncio.sleep(1.5 * COMMIT_INTERVAL)
    assert [cursors for _, cursors in store.saves] == [{"run_1": "run_1 after 49", "run_2": "run_2 after 0"}]


async def test_what_is_handled_is_kept_within_an_interval() -> None:
    store = NotingStore()
    async with keeping(store) as (keeper, _):
        for index in range(100):
            handle(keeper, index)
            await asyncio.sleep(0.3 * COMMIT_INTERVAL)
    times = [at for at, _ in store.saves]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= 1.05 * COMMIT_INTERVAL
    assert len(store.saves) <= 30


async def test_nothing_is_saved_where_nothing_is_handled() -> None:
    store = NotingStore()
    async with keeping(store) as (keeper, _):
        keeper.hand_out(checkpoint(0))
        await asyncio.sleep(3600)
    assert store.saves == []


@pytest.mark.parametrize("lease", [0.5, 3.0, 30.0])
async def test_a_lease_is_kept_alive_three_times_in_its_term_while_nothing_is_handled(lease: float) -> None:
    store = NotingStore(lease=lease)
    async with keeping(store):
        await asyncio.sleep(10 * lease + 10 * COMMIT_INTERVAL)
    times = [0.0, *(at for at, _ in store.saves)]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= lease / 3
    assert all(cursors == {} for _, cursors in store.saves)


async def test_what_is_left_is_kept_when_it_is_closed() -> None:
    store = NotingStore()
    keeper = Keeper(store, ())
    await keeper.open()
    handle(keeper, 0)
    await keeper.aclose()
    assert store.kept == {"run_1": "run_1 after 0"}
    assert not store.is_open


async def test_closing_twice_saves_once() -> None:
    store = NotingStore()
    keeper = Keeper(store, ())
    await keeper.open()
    handle(keeper, 0)
    await keeper.aclose()
    handle(keeper, 1)
    await keeper.aclose()
    assert len(store.saves) == 1


async def test_a_store_that_another_took_over_is_told_and_not_written_again() -> None:
    store = NotingStore()
    store.failures = [StoreLostError("another writer took over")]
    async with keeping(store) as (keeper, running):
        handle(keeper, 0)
        with pytest.raises(StoreLostError):
            await running
        handle(keeper, 1)
        await keeper.aclose()
    assert len(store.saves) == 1
    assert store.kept == {}
    assert not store.is_open


async def test_what_could_not_be_saved_is_saved_when_it_is_closed() -> None:
    store = NotingStore(events=True)
    store.failures = [StoreError("the disk is full")]
    async with keeping(store) as (keeper, running):
        handle(keeper, 0)
        with pytest.raises(StoreError):
            await running
        handle(keeper, 1)
        await keeper.aclose()
    assert store.kept == {"run_1": "run_1 after 1"}
    assert store.events == ["run_1:0", "run_1:1"]


async def test_a_store_that_fails_when_it_is_closed_is_let_go_of() -> None:
    store = NotingStore()
    keeper = Keeper(store, ())
    await keeper.open()
    handle(keeper, 0)
    store.failures = [StoreError("the disk is full")]
    with pytest.raises(StoreError):
        await keeper.aclose()
    assert not store.is_open


@pytest.mark.parametrize("after", [0.0, 0.005, 0.02])
async def test_a_commit_that_is_cancelled_loses_nothing(after: float) -> None:
    store = NotingStore()
    async with keeping(store) as (keeper, running):
        handle(keeper, 0)
        await asyncio.sleep(COMMIT_INTERVAL + after)
        running.cancel()
        await asyncio.wait([running])
        await keeper.aclose()
    assert store.kept == {"run_1": "run_1 after 0"}


async def test_events_are_saved_beside_the_cursors_in_the_order_in_which_they_were_handled() -> None:
    store = NotingStore(events=True)
    keeper = Keeper(store, ())
    await keeper.open()
    for index in range(3):
        keeper.hand_out(checkpoint(index))
    for index in (2, 0):
        keeper.ack(checkpoint(index))
    await keeper.aclose()
    assert store.kept == {"run_1": "run_1 after 0"}
    assert store.events == ["run_1:2", "run_1:0"]


async def test_no_events_are_collected_for_a_store_that_wants_none() -> None:
    store = NotingStore()
    async with keeping(store) as (keeper, _):
        handle(keeper, *range(10))
        assert keeper._events == []


async def test_what_a_filter_held_back_is_kept_as_handled() -> None:
    store = NotingStore()
    keeper = Keeper(store, ())
    await keeper.open()
    keeper.pass_over("run_1", "later")
    await keeper.aclose()
    assert store.kept == {"run_1": "later"}
