"""A store in a file: what it keeps, and what cancelling and closing leave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from store_pieces import checkpoint, execute, files_beside, join_store_threads, locked, move_away, store_threads

from nexus_async import (
    CaughtUp,
    ConfigurationError,
    InvalidArgumentError,
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


async def test_what_is_saved_is_there_for_the_next_process(path: Path) -> None:
    store = await opened(SQLiteStore(str(path)))
    await store.save({"run_1": "a", "run_2": "b"})
    await store.save({"run_1": "c"})
    await store.aclose()
    again = await opened(SQLiteStore(path))
    assert await again.load() == {"run_1": "c", "run_2": "b"}
    await again.aclose()


async def test_events_are_kept_beside_the_cursors_where_they_are_wanted(path: Path) -> None:
    store = await opened(SQLiteStore(path, keep_events=True))
    await store.save({"run_1": "a"}, [checkpoint(1), checkpoint(2)])
    await store.save({"run_1": "b"}, [checkpoint(2), CaughtUp(id="x")])
    assert await store.read_events() == [(1, checkpoint(1)), (2, checkpoint(2)), (3, CaughtUp(id="x"))]
    await store.aclose()


async def test_events_are_not_kept_where_they_are_not_wanted(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    await store.save({"run_1": "a"}, [checkpoint(1)])
    assert (store.keeps_events, await store.read_events()) == (False, [])
    await store.aclose()


async def test_another_reads_what_is_kept_without_being_the_writer(path: Path) -> None:
    store = await opened(SQLiteStore(path, keep_events=True))
    events = [checkpoint(i, run_id) for i in (1, 2) for run_id in ("run_1", "run_2")]
    await store.save({"run_1": "a"}, events)
    reader = SQLiteStore(path)
    assert [event for _, event in await reader.read_events()] == events
    assert await reader.read_events(after=3) == [(4, events[3])]
    assert await reader.read_events(run_id="run_2") == [(2, events[1]), (4, events[3])]
    assert await reader.read_events(after=1, run_id="run_1") == [(3, events[2])]
    assert await reader.read_events(limit=1) == [(1, events[0])]
    assert await reader.read_events(run_id="run_1", limit=1) == [(1, events[0])]
    assert await reader.load() == {"run_1": "a"}
    assert len(store_threads()) == 1
    await store.aclose()


async def test_a_thousand_events_are_read_at_a_time(path: Path) -> None:
    store = await opened(SQLiteStore(path, keep_events=True))
    await store.save({}, [checkpoint(i) for i in range(1001)])
    assert len(await store.read_events()) == 1000
    assert len(await store.read_events(limit=2000)) == 1001
    await store.aclose()


async def test_a_reader_makes_no_file(path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no store at .*runs\.db"):
        await SQLiteStore(path).load()
    assert (files_beside(path), store_threads()) == ([], [])


async def test_a_store_in_memory_lasts_until_it_is_closed() -> None:
    store = await opened(SQLiteStore(":memory:", keep_events=True))
    await store.save({"run_1": "a"}, [checkpoint(1)])
    await store.save({"run_1": "b"})
    assert (await store.load(), len(await store.read_events())) == ({"run_1": "b"}, 1)
    await store.aclose()
    assert await SQLiteStore(":memory:").load() == {}


async def test_a_relative_path_is_of_the_directory_it_was_given_in(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(path.parent)
    store = await opened(SQLiteStore("runs.db"))
    monkeypatch.chdir("/")
    await store.save({"run_1": "a"})
    await store.aclose()
    assert await SQLiteStore(path).load() == {"run_1": "a"}


async def test_it_is_opened_once_and_saved_to_while_it_is_open(path: Path) -> None:
    store = SQLiteStore(path)
    with pytest.raises(StoreError, match=r"await store.open\(\)"):
        await store.save({"run_1": "a"})
    await store.open()
    with pytest.raises(StoreBusyError, match="open already"):
        await store.open()
    await store.save({"run_1": "b"})
    await store.aclose()
    with pytest.raises(StoreError, match="not open"):
        await store.save({"run_1": "c"})
    assert await store.load() == {"run_1": "b"}


async def test_the_loop_goes_on_while_the_file_is_waited_for(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    with locked(path):
        saving = asyncio.ensure_future(store.save({"run_1": "a"}))
        for _ in range(100):
            await asyncio.sleep(0.001)
        assert not saving.done()
    await saving
    assert await store.load() == {"run_1": "a"}
    await store.aclose()


async def test_a_save_that_is_cancelled_is_made_or_is_not(path: Path) -> None:
    store = await opened(SQLiteStore(path, keep_events=True))
    with locked(path):
        started = asyncio.ensure_future(store.save({"run_1": "a", "run_2": "a"}, [checkpoint(1)]))
        queued = asyncio.ensure_future(store.save({"run_1": "b", "run_2": "b"}, [checkpoint(2)]))
        await asyncio.sleep(0.01)
        started.cancel()
        queued.cancel()
        await asyncio.wait({started, queued})
        assert started.cancelled()
        assert queued.cancelled()
    await store.save({"run_3": "c"})
    assert await store.load() == {"run_1": "a", "run_2": "a", "run_3": "c"}
    assert await store.read_events() == [(1, checkpoint(1))]
    await store.aclose()


async def test_closing_that_is_cancelled_closes_all_the_same(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    with locked(path):
        saving = asyncio.ensure_future(store.save({"run_1": "a"}))
        await asyncio.sleep(0.01)
        closing = asyncio.ensure_future(store.aclose())
        await asyncio.sleep(0.01)
        closing.cancel()
        await asyncio.wait({closing})
    await saving
    await asyncio.to_thread(join_store_threads)
    await (await opened(SQLiteStore(path, wait=0))).aclose()


async def test_opening_that_is_cancelled_leaves_nothing(path: Path) -> None:
    first = await opened(SQLiteStore(path))
    second = SQLiteStore(path)
    opening = asyncio.ensure_future(second.open())
    await asyncio.sleep(0.05)
    opening.cancel()
    await asyncio.wait({opening})
    assert len(store_threads()) == 1
    await first.aclose()
    assert store_threads() == []
    await second.open()
    await second.aclose()


async def test_opening_that_is_cancelled_as_it_succeeds_lets_go(path: Path) -> None:
    await (await opened(SQLiteStore(path))).aclose()
    with locked(path):
        opening = asyncio.ensure_future(SQLiteStore(path).open())
        await asyncio.sleep(0.05)
        opening.cancel()
        await asyncio.sleep(0.01)
    await asyncio.wait({opening})
    assert opening.cancelled()
    await (await opened(SQLiteStore(path, wait=0))).aclose()


async def test_no_thread_is_left(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    await store.save({"run_1": "a"})
    assert len(store_threads()) == 1
    await store.aclose()
    assert store_threads() == []


async def test_a_file_that_is_taken_away_is_noticed(path: Path) -> None:
    store = await opened(SQLiteStore(path))
    move_away(path)
    with pytest.raises(StoreLostError, match="moved or deleted"):
        await store.save({"run_1": "a"})
    await (await opened(SQLiteStore(path))).aclose()
    with pytest.raises(StoreLostError, match="moved or deleted"):
        await store.save({"run_1": "a"})
    await store.aclose()


async def test_all_of_a_save_is_undone_where_a_part_of_it_fails(path: Path) -> None:
    store = await opened(SQLiteStore(path, keep_events=True))
    execute(
        path,
        "CREATE TRIGGER full BEFORE INSERT ON cursors WHEN new.run_id = 'z' BEGIN SELECT RAISE(FAIL, 'no'); END",
    )
    with pytest.raises(StoreError, match="cannot be used: no"):
        await store.save({"run_1": "a", "z": "a"}, [checkpoint(1)])
    assert (await store.load(), await store.read_events()) == ({}, [])
    await store.save({"run_1": "b"}, [checkpoint(2)])
    assert await store.load() == {"run_1": "b"}
    await store.aclose()


@pytest.mark.parametrize("lease", [0, -1.0, float("nan"), float("inf"), True, "15"])
def test_a_lease_is_a_time(lease: float) -> None:
    with pytest.raises(ConfigurationError, match="lease="):
        SQLiteStore("runs.db", lease=lease)


@pytest.mark.parametrize("wait", [-1.0, float("nan"), float("inf"), "15"])
def test_a_wait_is_a_time_or_nothing(wait: float) -> None:
    with pytest.raises(ConfigurationError, match="wait="):
        SQLiteStore("runs.db", wait=wait)


def test_a_path_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="path=''"):
        SQLiteStore("")


async def test_what_is_asked_for_of_the_events_makes_sense(path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="after=-1"):
        await SQLiteStore(path).read_events(after=-1)
    with pytest.raises(ConfigurationError, match="limit=0"):
        await SQLiteStore(path).read_events(limit=0)


def test_it_shows_what_it_is() -> None:
    shown = repr(SQLiteStore("/data/runs.db", keep_events=True))
    assert shown == "SQLiteStore('/data/runs.db', keep_events=True, lease=15.0)"


def test_sqlite_is_loaded_when_it_is_used() -> None:
    program = "from nexus_async import SQLiteStore; SQLiteStore('x'); import sys; print('sqlite3' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
