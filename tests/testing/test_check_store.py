"""`check_store`: it passes for the stores of this package, and tells what is wrong with one that breaks a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from broken_stores import (
    AdmitsTwo,
    AdmitsTwoWithoutALease,
    DoesNotExtend,
    FailsWhenClosedAgain,
    ForgetsOtherRuns,
    ForgetsWhenClosed,
    HandsOutItsOwn,
    IsNotEmpty,
    KeepsAHundredRuns,
    KeepsAnEventTwice,
    KeepsAsciiAlone,
    KeepsCursorsWhenReplaced,
    KeepsEventsWhenReplaced,
    KeepsTheFirst,
    KeepsWhatItRefuses,
    Kept,
    LeasedStore,
    LosesASave,
    LosesEvents,
    LosesWhatIsLong,
    NeverLetsGo,
    NeverRunsOut,
    NoEvents,
    NoLease,
    RefusesAtOnce,
    SavesByHalves,
    SavesEventsApart,
    SavesWhenClosed,
    SaysNothingWhenReplaced,
    StopsWhenCancelled,
    TakesTooLong,
    TurnsEventsAround,
    WritesWhenReplaced,
    events_of,
)

from nexus_async import Event, MemoryStore, SQLiteStore, StoreError
from nexus_async.testing import check_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", [LeasedStore, NoLease, NoEvents, RefusesAtOnce])
async def test_a_store_that_is_as_it_should_be_passes(kind: type[LeasedStore]) -> None:
    kept = Kept()
    await check_store(lambda: kind(kept), read_events=events_of)


BROKEN: dict[type[LeasedStore], str] = {
    IsNotEmpty: "it is empty at first",
    LosesASave: "the last save of a run wins",
    LosesWhatIsLong: "loaded as it was; here, run_long has",
    KeepsAsciiAlone: "loaded as it was",
    ForgetsOtherRuns: "other runs are kept",
    KeepsTheFirst: "the last save of a run wins",
    KeepsAHundredRuns: "a thousand runs",
    HandsOutItsOwn: "what `load` returned may be changed",
    ForgetsWhenClosed: "there when it is opened again",
    NeverLetsGo: "it opens where the last writer closed it",
    SavesWhenClosed: "one that was closed keeps nothing any more.*`save` returned",
    KeepsWhatItRefuses: "one that was closed keeps nothing any more.*it was kept",
    AdmitsTwo: "one alone writes to it",
    AdmitsTwoWithoutALease: "one alone writes to it",
    DoesNotExtend: "one alone writes to it",
    NeverRunsOut: "saved nothing for longer than its lease; here, it was not open after 16 s",
    WritesWhenReplaced: "one alone writes to it|a writer that was replaced.*`save` returned",
    KeepsEventsWhenReplaced: "a writer that was replaced.*its events were kept",
    KeepsCursorsWhenReplaced: "a writer that was replaced.*its cursors were kept",
    SaysNothingWhenReplaced: "a writer that was replaced.*`save` returned",
    KeepsAnEventTwice: "each `id` once",
    LosesEvents: "events are kept as they are",
    TurnsEventsAround: "in the order of their saves",
    SavesByHalves: "a save that is cancelled is made or is not; here, of two runs",
    SavesEventsApart: "a save that is cancelled is made or is not; here, it kept the cursors or the event",
    StopsWhenCancelled: "a save after one that was cancelled is kept",
}


@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", BROKEN, ids=lambda kind: kind.__name__)
async def test_a_store_that_breaks_a_promise_is_told_which(kind: type[LeasedStore]) -> None:
    kept = Kept()
    with pytest.raises(AssertionError, match=f"a store promises that .*({BROKEN[kind]})"):
        await check_store(lambda: kind(kept), read_events=events_of)


@pytest.mark.virtual_time
async def test_the_errors_of_a_store_come_through() -> None:
    kept = Kept()
    with pytest.raises(StoreError, match="closed already"):
        await check_store(lambda: FailsWhenClosedAgain(kept), read_events=events_of)


@pytest.mark.virtual_time
async def test_a_lease_that_this_machine_cannot_keep_is_no_fault_of_the_store() -> None:
    kept = Kept()
    with pytest.raises(AssertionError, match="too busy for such a short lease: make the store with a longer one"):
        await check_store(lambda: TakesTooLong(kept), read_events=events_of)


@pytest.mark.virtual_time
@pytest.mark.parametrize("kind", [KeepsAnEventTwice, LosesEvents])
async def test_events_are_looked_at_where_they_can_be_read(kind: type[LeasedStore]) -> None:
    kept = Kept()
    await check_store(lambda: kind(kept))


async def test_the_store_in_a_file_passes(tmp_path: Path) -> None:
    async def read_events(store: SQLiteStore) -> list[Event]:
        return [event for _, event in await store.read_events()]

    await check_store(
        lambda: SQLiteStore(tmp_path / "runs.db", keep_events=True, lease=1.0), read_events=read_events
    )


async def test_the_store_in_a_file_passes_where_it_does_not_wait(tmp_path: Path) -> None:
    await check_store(lambda: SQLiteStore(tmp_path / "runs.db", lease=1.0, wait=0))


@pytest.mark.parametrize("keep_events", [True, False])
async def test_the_store_in_memory_passes(keep_events: bool) -> None:
    async def read_events(store: MemoryStore) -> list[Event]:
        return store.events

    store = MemoryStore(keep_events=keep_events)
    await check_store(lambda: store, read_events=read_events)
