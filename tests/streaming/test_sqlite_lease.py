"""The lease of a store in a file: who may write, for how long, and what a writer that was replaced may not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from store_pieces import checkpoint, locked, rows_of

from nexus_async import (
    SQLiteStore,
    StoreBusyError,
    StoreError,
    StoreLostError,
)

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "runs.db"


async def opened(store: SQLiteStore) -> SQLiteStore:
    await store.open()
    return store


def virtual(path: Path, *, lease: float = 10.0, wait: float | None = None) -> SQLiteStore:
    """Make a store that goes by the time of the loop."""
    return SQLiteStore(path, lease=lease, wait=wait, clock=asyncio.get_running_loop().time)


@pytest.mark.virtual_time
@pytest.mark.parametrize("lease", [3.2, 300.0])
async def test_a_silent_writer_has_it_for_as_long_as_its_lease(path: Path, lease: float) -> None:
    loop = asyncio.get_running_loop()
    first = await opened(virtual(path, lease=lease))
    await asyncio.sleep(1)
    await first.save({})
    second = await opened(virtual(path))
    assert loop.time() == pytest.approx(1 + lease)
    await second.aclose()
    await first.aclose()


@pytest.mark.virtual_time
@pytest.mark.parametrize("wait", [0, 2.0, 9.0])
async def test_another_writer_is_waited_for_no_longer_than_asked(path: Path, wait: float) -> None:
    loop = asyncio.get_running_loop()
    first = await opened(virtual(path))
    with pytest.raises(StoreBusyError, match="another process writes to"):
        await virtual(path, wait=wait).open()
    assert loop.time() == pytest.approx(wait)
    await first.save({"run_1": "a"})
    await first.aclose()


@pytest.mark.virtual_time
async def test_a_writer_that_is_waited_for_and_saves_keeps_it(path: Path) -> None:
    first = await opened(virtual(path))
    opening = asyncio.ensure_future(opened(virtual(path)))
    for _ in range(100):
        await asyncio.sleep(5)
        await first.save({})
    assert not opening.done()
    await first.aclose()
    await (await opening).aclose()


async def test_a_writer_that_closes_lets_go_at_once(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    await store.aclose()
    await store.aclose()
    again = await opened(SQLiteStore(path, wait=0))
    await store.aclose()
    await again.save({"run_1": "a"})
    await again.aclose()


@pytest.mark.virtual_time
async def test_a_writer_that_was_replaced_keeps_nothing_any_more(path: Path) -> None:
    first = await opened(virtual(path))
    first.keeps_events = True
    second = await opened(virtual(path))
    await second.save({"run_1": "a"})
    for _ in range(2):
        with pytest.raises(StoreLostError, match=r"another process took .*runs\.db over"):
            await first.save({"run_1": "b", "run_2": "b"}, [checkpoint(1)])
    await first.aclose()
    assert (await second.load(), await second.read_events()) == ({"run_1": "a"}, [])
    with pytest.raises(StoreBusyError):
        await virtual(path, wait=0).open()
    await second.aclose()


@pytest.mark.virtual_time
async def test_a_writer_that_slept_and_was_not_replaced_goes_on(path: Path) -> None:
    store = await opened(virtual(path))
    await asyncio.sleep(1000)
    await store.save({"run_1": "a"})
    with pytest.raises(StoreBusyError):
        await virtual(path, wait=0).open()
    await store.aclose()


async def test_a_clock_that_was_set_back_locks_nobody_out(path: Path) -> None:
    now = 1000.0
    first = await opened(SQLiteStore(path, lease=100, clock=lambda: now))
    now -= 0.5
    second = await opened(SQLiteStore(path, lease=1, wait=0, clock=lambda: now))
    with pytest.raises(StoreLostError):
        await first.save({})
    await second.aclose()
    await first.aclose()


async def test_a_lease_is_as_long_as_its_writer_said(path: Path) -> None:
    now = 1000.0
    first = await opened(SQLiteStore(path, lease=100, clock=lambda: now))
    now += 50
    with pytest.raises(StoreBusyError):
        await SQLiteStore(path, lease=1, wait=0, clock=lambda: now).open()
    now += 50
    await (await opened(SQLiteStore(path, lease=1, wait=0, clock=lambda: now))).aclose()
    await first.aclose()


@pytest.mark.virtual_time
async def test_it_is_not_saved_to_while_another_is_waited_for(path: Path) -> None:
    first, second = await opened(virtual(path)), virtual(path)
    opening = asyncio.ensure_future(second.open())
    await asyncio.sleep(1)
    with pytest.raises(StoreError, match="not open"):
        await second.save({"run_1": "a"})
    await second.aclose()
    with pytest.raises(StoreError, match="closed meanwhile"):
        await opening
    await first.save({})
    await first.aclose()


async def test_each_writer_has_a_number_of_its_own_one_above_the_last(path: Path) -> None:
    epochs = []
    for _ in range(3):
        store = await opened(SQLiteStore(path))
        [(epoch,)] = rows_of(path, "SELECT epoch FROM lease")
        epochs.append(epoch)
        await store.aclose()
    assert epochs == [1, 2, 3]


async def test_writers_that_come_at_once_are_served_one_after_the_other(path: Path) -> None:
    async def write(number: int) -> None:
        store = await opened(SQLiteStore(path))
        await store.save({f"run_{number}": str(len(await store.load()))})
        await store.aclose()

    await asyncio.gather(*(write(i) for i in range(6)))
    assert sorted((await SQLiteStore(path).load()).values()) == list("012345")


async def test_a_store_that_is_closed_as_it_is_opened_is_not_open(path: Path) -> None:
    await (await opened(SQLiteStore(path))).aclose()
    store = SQLiteStore(path)
    with locked(path):
        opening = asyncio.ensure_future(store.open())
        await asyncio.sleep(0.05)
        closing = asyncio.ensure_future(store.aclose())
        await asyncio.sleep(0.01)
    with pytest.raises(StoreError, match="closed meanwhile"):
        await opening
    await closing
    await (await opened(SQLiteStore(path, wait=0))).aclose()
