"""What is no store, or cannot be written to, is refused with what to do, and never harmed."""

from __future__ import annotations

from pathlib import Path

import pytest
from store_pieces import checkpoint, damage, execute, files_beside, locked, store_threads

from nexus_async import SQLiteStore, StoreBusyError, StoreError
from nexus_async.streaming.stores import sqlite_file


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """Return the path of a store that has something."""
    store = SQLiteStore(tmp_path / "runs.db", keep_events=True)
    await store.open()
    await store.save({"run_1": "a"}, [checkpoint(1)])
    await store.aclose()
    return tmp_path / "runs.db"


async def refusal_of(path: Path | str) -> str:
    """Return what opening and reading say alike."""
    with pytest.raises(StoreError) as opening:
        await SQLiteStore(path).open()
    with pytest.raises(StoreError) as reading:
        await SQLiteStore(path).load()
    assert store_threads() == []
    assert str(reading.value) == str(opening.value)
    return str(opening.value)


async def test_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    text = b"To do: water the plants. " * 100
    (tmp_path / "notes.txt").write_bytes(text)
    said = await refusal_of(tmp_path / "notes.txt")
    assert said.startswith(f"{tmp_path / 'notes.txt'} cannot be used: ")
    assert said.endswith("Give another path, or move the file away")
    assert (tmp_path / "notes.txt").read_bytes() == text


@pytest.mark.parametrize("version", [0, 1, 7])
async def test_the_database_of_another_program_is_refused_and_kept(tmp_path: Path, version: int) -> None:
    execute(tmp_path / "other.db", "CREATE TABLE events (mine)")
    execute(tmp_path / "other.db", f"PRAGMA user_version = {version}")
    before = (tmp_path / "other.db").read_bytes()
    assert "another program's database: give another path" in await refusal_of(tmp_path / "other.db")
    assert (tmp_path / "other.db").read_bytes() == before


async def test_a_store_of_a_newer_release_is_refused_with_what_to_do(path: Path) -> None:
    execute(path, "PRAGMA user_version = 2")
    assert (await refusal_of(path)).endswith("is of version 2, this release reads up to 1: upgrade nexus-async")


async def test_a_damaged_store_is_refused_with_what_to_do(path: Path) -> None:
    damage(path)
    assert (await refusal_of(path)).endswith("Put a copy of the file back, or move it away")


async def test_a_directory_is_not_made_for_the_user(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Make its directory, and let this user write there"):
        await SQLiteStore(tmp_path / "data" / "runs.db").open()
    assert files_beside(tmp_path / "data") == []


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no directory that nobody may write to")
async def test_a_directory_that_cannot_be_written_to_is_refused_with_what_to_do() -> None:
    with pytest.raises(StoreError, match=r"/proc/runs\.db cannot be used: .*let this user write there"):
        await SQLiteStore("/proc/runs.db").open()


async def test_a_directory_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    assert "unable to open" in await refusal_of(tmp_path)


async def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "runs.db").touch()
    store = SQLiteStore(tmp_path / "runs.db")
    assert await store.load() == {}
    await store.open()
    await store.save({"run_1": "a"})
    await store.aclose()
    assert await store.load() == {"run_1": "a"}


async def test_a_file_that_stays_locked_is_a_refusal_of_the_save_and_no_loss(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT", 0.01)
    store = SQLiteStore(path)
    await store.open()
    with locked(path), pytest.raises(StoreBusyError, match="locked"):
        await store.save({"run_1": "b"})
    await store.save({"run_1": "c"})
    assert await store.load() == {"run_1": "c"}
    await store.aclose()


async def test_a_file_that_is_locked_while_it_is_opened_is_waited_for(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_TIMEOUT", 0.01)
    with locked(path), pytest.raises(StoreBusyError, match="another process writes to"):
        await SQLiteStore(path, wait=0.1).open()
    store = SQLiteStore(path, wait=0)
    await store.open()
    await store.aclose()


@pytest.mark.parametrize("cursors", [{"run_1": "b", "\ud800": "b"}, {"run_1": "b", "run_2": "\ud800"}])
async def test_a_text_that_no_file_holds_is_a_refusal_of_all_of_the_save(
    path: Path, cursors: dict[str, str]
) -> None:
    store = SQLiteStore(path)
    await store.open()
    with pytest.raises(StoreError, match=r"cannot be used: .*surrogates not allowed"):
        await store.save(cursors)
    assert await store.load() == {"run_1": "a"}
    await store.aclose()
