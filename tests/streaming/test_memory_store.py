"""A store in memory: it keeps what is saved, and has one writer at a time as every other store."""

from __future__ import annotations

import pytest
from store_pieces import checkpoint

from nexus_async import CaughtUp, MemoryStore, StoreBusyError, StoreError


async def test_what_is_saved_is_there_when_it_is_opened_again() -> None:
    store = MemoryStore()
    await store.open()
    await store.save({"run_1": "a", "run_2": "b"})
    await store.save({"run_1": "c"})
    await store.aclose()
    await store.open()
    assert await store.load() == {"run_1": "c", "run_2": "b"}


async def test_it_is_opened_by_one_at_a_time() -> None:
    store = MemoryStore()
    await store.open()
    with pytest.raises(StoreBusyError, match="open already"):
        await store.open()
    await store.save({"run_1": "a"})
    assert await store.load() == {"run_1": "a"}


async def test_it_is_saved_to_while_it_is_open_alone() -> None:
    store = MemoryStore()
    with pytest.raises(StoreError, match=r"await store.open\(\)"):
        await store.save({"run_1": "a"})
    await store.open()
    await store.aclose()
    await store.aclose()
    with pytest.raises(StoreError, match="not open"):
        await store.save({"run_1": "a"})
    assert await store.load() == {}


async def test_events_are_kept_once_where_they_are_wanted() -> None:
    store = MemoryStore(keep_events=True)
    await store.open()
    await store.save({"run_1": "a"}, [checkpoint(1), checkpoint(2)])
    await store.save({"run_1": "b"}, [checkpoint(2), CaughtUp(id="x"), CaughtUp(id="x")])
    assert store.events == [checkpoint(1), checkpoint(2), CaughtUp(id="x")]


async def test_events_are_not_kept_where_they_are_not_wanted() -> None:
    store = MemoryStore()
    await store.open()
    await store.save({"run_1": "a"}, [checkpoint(1)])
    assert (store.keeps_events, store.events) == (False, [])


async def test_what_was_given_and_what_was_loaded_may_be_changed() -> None:
    store = MemoryStore()
    await store.open()
    given = {"run_1": "a"}
    await store.save(given)
    given.clear()
    (await store.load()).clear()
    assert await store.load() == {"run_1": "a"}


def test_it_has_no_lease_and_shows_what_it_is() -> None:
    assert MemoryStore().lease is None
    assert repr(MemoryStore(keep_events=True)) == "MemoryStore(keep_events=True)"
