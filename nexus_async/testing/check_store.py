"""Whether a store keeps what the protocol `Store` promises, for those who write one."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Generic, NoReturn, TypeVar

from nexus_async.errors import StoreBusyError, StoreError, StoreLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from nexus_async.events import Event
    from nexus_async.streaming import Store

S = TypeVar("S", bound="Store")

PATIENCE: Final = 10.0
"""Seconds for whatever a store does, beside three times its lease."""
LOOK: Final = 0.2
"""Seconds to look whether a second writer is admitted, where there is no lease."""
ROUNDS: Final = 5
"""How often that is tried, where this machine was too busy to save within the lease."""

TOKENS: Final = {
    "run_plain": "nxc1.abc_-",
    "run_Größe_日本_🚀": "nxc1.Größe_日本_🚀",
    "run with 'quotes' and \"others\"": "'; --",
    "run_long": "nxc1." + "x" * 100_000,
    "run_empty": "",
}


async def check_store(
    make: Callable[[], S], *, read_events: Callable[[S], Awaitable[Sequence[Event]]] | None = None
) -> None:
    """Check what a store promises: what it keeps, that one alone writes, and what a cancelled save leaves.

    `make()` gives a new store each time, or one that may be opened again, over the same kept data, empty at
    first. A store with a `lease` is waited for until that has run out: make it with one of a second or two.
    `read_events(store)` gives the events that an open store keeps, in their order; without it, only that saving
    them is accepted is checked.

    Raises an `AssertionError` that says what was promised and what came, or the store's own error.
    """
    check = _Check(make, read_events)
    check.is_whole()
    await check.is_empty_at_first()
    await check.keeps_what_is_saved()
    await check.keeps_many_runs()
    await check.refuses_when_closed()
    await check.keeps_events_once()
    await check.survives_cancelling()
    await check.admits_one_writer()
    await check.refuses_a_replaced_writer()


def _fail(promise: str, came: str) -> NoReturn:
    raise AssertionError(f"a store promises that {promise}; here, {came}")


class _Check(Generic[S]):
    def __init__(self, make: Callable[[], S], read: Callable[[S], Awaitable[Sequence[Event]]] | None) -> None:
        self._make = make
        self._read = read

    def is_whole(self) -> None:
        from nexus_async.streaming.stores.store import missing_of  # noqa: PLC0415 - at first use

        store = self._make()
        if lacks := missing_of(store):
            _fail("it has all that the protocol `Store` names", f"{store!r} lacks {', '.join(lacks)}")

    async def is_empty_at_first(self) -> None:
        async with self._opened() as store:
            if found := await store.load():
                _fail("it is empty at first", f"it had {_short(found)}: give `make` a place of its own")

    async def keeps_what_is_saved(self) -> None:
        async with self._opened() as store:
            await store.save(TOKENS)
            await self._expect(store, TOKENS, "what was saved is loaded as it was")
            (await store.load()).clear()
            await self._expect(store, TOKENS, "what `load` returned may be changed")
            await store.save({"run_plain": "nxc1.second"})
            await store.save({"run_plain": "nxc1.third"})
            await store.save({})
            expected = {**TOKENS, "run_plain": "nxc1.third"}
            await self._expect(store, expected, "the last save of a run wins, and other runs are kept")
        async with self._opened() as store:
            await self._expect(store, expected, "what was saved is there when it is opened again")

    async def keeps_many_runs(self) -> None:
        many = {f"run_{i}": f"nxc1.{i}" for i in range(1000)}
        async with self._opened() as store:
            await store.save(many)
        async with self._opened() as store:
            await self._expect(store, many, "a thousand runs are kept by one save")

    async def refuses_when_closed(self) -> None:
        store = self._make()
        await self._open(store)
        await store.aclose()
        await store.aclose()
        promise = "one that was closed keeps nothing any more, and `save` raises a StoreError"
        try:
            await store.save({"run_closed": "nxc1.late"})
        except StoreError:
            pass
        else:
            _fail(promise, "`save` returned")
        async with self._opened() as store:
            if "run_closed" in await store.load():
                _fail(promise, "it was kept")

    async def keeps_events_once(self) -> None:
        first, second, third, of_no_run = _events("once", 3)
        async with self._opened() as store:
            if not store.keeps_events:
                return
            await store.save({"run_once": "nxc1.2"}, [first, second])
            await store.save({"run_once": "nxc1.3"}, [second, third, third, of_no_run])
            await store.save({}, [first])
        async with self._opened() as store:
            kept = [event for event in await self._events(store) or () if "once" in event.id]
            if self._read and kept != [first, second, third, of_no_run]:
                _fail(
                    "events are kept as they are, in the order of their saves, each `id` once",
                    f"of {first.id}, {second.id}, {third.id} and {of_no_run.id} it kept "
                    f"{', '.join(event.id for event in kept) or 'none'}",
                )

    async def survives_cancelling(self) -> None:
        async with self._opened() as store:
            for turns in range(8):
                await self._cancel_a_save(store, turns)

    async def _cancel_a_save(self, store: S, turns: int) -> None:
        """Cancel a save after some turns of the loop: there is no place where it may be made by halves."""
        token = f"nxc1.{turns}"
        event = _events("cancelled", turns + 1)[turns]
        saving = asyncio.ensure_future(store.save({"run_left": token, "run_right": token}, [event]))
        for _ in range(turns):
            await asyncio.sleep(0)
        saving.cancel()
        await asyncio.wait({saving})
        if not saving.cancelled():
            saving.result()
        await store.save({"run_after": token})
        loaded = await store.load()
        promise = "a save that is cancelled is made or is not"
        if loaded.get("run_left") != loaded.get("run_right"):
            _fail(promise, f"of two runs it kept {loaded.get('run_left')} and {loaded.get('run_right')}")
        events = await self._events(store)
        if events is not None and (event in events) != (loaded.get("run_left") == token):
            _fail(promise, "it kept the cursors or the event, and not both")
        if loaded.get("run_after") != token:
            _fail("a save after one that was cancelled is kept", f"it kept {loaded.get('run_after')}")

    async def admits_one_writer(self) -> None:
        """A round proves nothing where the first writer came too late to keep its lease."""
        for _ in range(ROUNDS):
            async with self._opened() as first:
                if not await self._admits_another(first):
                    await first.save({"run_first": "nxc1.held"})
                    await self._expect(first, {"run_first": "nxc1.held"}, "the one writer goes on")
                    return
        raise AssertionError("this machine is too busy for such a short lease: make the store with a longer one")

    async def _admits_another(self, first: S) -> bool:
        """Try to open it as a second writer, for longer than the lease, while the first one saves."""
        loop = asyncio.get_running_loop()
        saved_at = loop.time()
        await first.save({"run_first": "nxc1.held"})
        over = loop.time() + (1.5 * first.lease if first.lease else LOOK)
        second = self._make()
        opening = asyncio.ensure_future(second.open())
        try:
            while loop.time() < over:
                began = loop.time()
                if not await self._saves(first):
                    break
                saved_at = began
                await asyncio.sleep((first.lease or LOOK) / 5)
                if opening.done():
                    if not isinstance(opening.exception(), StoreBusyError):
                        break
                    second = self._make()
                    opening = asyncio.ensure_future(second.open())
        finally:
            opening.cancel()
            await asyncio.wait({opening})
        if opening.cancelled() or isinstance(opening.exception(), StoreBusyError):
            return False
        opening.result()
        passed = loop.time() - saved_at
        await second.aclose()
        if first.lease is None or passed < first.lease:
            _fail("one alone writes to it", "a second one was opened while the first was open")
        return True

    @staticmethod
    async def _saves(first: S) -> bool:
        try:
            await first.save({"run_first": "nxc1.held"})
        except StoreLostError:
            return False
        return True

    async def refuses_a_replaced_writer(self) -> None:
        first = self._make()
        await self._open(first)
        if first.lease is None:
            await first.aclose()
            return
        await first.save({"run_replaced": "nxc1.first"})
        try:
            async with self._opened() as second:
                await self._expect_refusal(first, second)
                await first.aclose()
                await second.save({"run_replaced": "nxc1.third"})
                await self._expect(second, {"run_replaced": "nxc1.third"}, "the writer that took over goes on")
        finally:
            await first.aclose()

    async def _expect_refusal(self, first: S, second: S) -> None:
        promise = "a writer that was replaced keeps nothing any more, and its `save` raises a StoreLostError"
        await self._expect(
            second, {"run_replaced": "nxc1.first"}, "a writer that takes over finds what was saved"
        )
        await second.save({"run_replaced": "nxc1.second"})
        late, _ = _events("replaced", 1)
        try:
            await first.save({"run_replaced": "nxc1.late", "run_late": "nxc1.late"}, [late])
        except StoreLostError:
            pass
        else:
            _fail(promise, "`save` returned")
        loaded = await second.load()
        if loaded.get("run_replaced") != "nxc1.second" or "run_late" in loaded:
            _fail(promise, "its cursors were kept")
        if late in (await self._events(second) or ()):
            _fail(promise, "its events were kept")

    async def _events(self, store: S) -> Sequence[Event] | None:
        return await self._read(store) if self._read and store.keeps_events else None

    async def _expect(self, store: S, expected: dict[str, str], promise: str) -> None:
        loaded = await store.load()
        for run_id, token in expected.items():
            if loaded.get(run_id) != token:
                _fail(promise, f"{run_id} has {_short(loaded.get(run_id))} in place of {_short(token)}")

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[S]:
        store = self._make()
        await self._open(store)
        try:
            yield store
        finally:
            await store.aclose()

    async def _open(self, store: S) -> None:
        """Open it, again and again where it does not wait itself."""
        seconds = PATIENCE + 3 * (store.lease or 0)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    try:
                        return await store.open()
                    except StoreBusyError:
                        await asyncio.sleep(LOOK)
        except TimeoutError:
            _fail(
                "it opens where the last writer closed it, or saved nothing for longer than its lease",
                f"it was not open after {seconds:g} s",
            )


def _events(name: str, count: int) -> list[Event]:
    """Make events of a run, and one of none after them."""
    from nexus_async.events import CaughtUp, Checkpoint  # noqa: PLC0415 - at first use

    common = {"project_id": "proj_1", "run_id": f"run_{name}", "log_id": f"runlog_{name}"}
    return [
        *(
            Checkpoint(
                id=f"runlog_{name}:{index}:f00d", cursor=f"nxc1.{index + 1}", index=index, time=1.5, step=index,
                metrics={"totalLoss": 0.25}, message="Größe 日本 🚀", **common
            )
            for index in range(count)
        ),
        CaughtUp(id=f"{name}:caught-up"),
    ]  # fmt: skip


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) < 80 else f"{text[:60]}... ({len(text)} characters)"  # noqa: PLR2004 - what a line holds
