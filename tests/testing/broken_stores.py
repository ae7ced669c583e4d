"""Stores in memory that share what they keep: a sound one with a lease, and those that break one promise each."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nexus_async import Event, StoreBusyError, StoreError, StoreLostError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass
class Kept:
    """What stores of the same data share."""

    cursors: dict[str, str] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    epoch: int = 0
    expiry: float = -1.0


class LeasedStore:
    """A store in memory that is as it should be, with a lease by the loop's time; those below break one promise."""

    keeps_events = True
    lease: float | None = 2.0

    def __init__(self, kept: Kept) -> None:
        self.kept = kept
        self.epoch: int | None = None

    async def open(self) -> None:
        await self.wait_until_free()
        self.kept.epoch += 1
        self.epoch = self.kept.epoch
        self.extend()

    async def wait_until_free(self) -> None:
        if not self.is_free():
            await asyncio.sleep(0.5)
            await self.wait_until_free()

    def is_free(self) -> bool:
        return asyncio.get_running_loop().time() >= self.kept.expiry

    def extend(self) -> None:
        self.kept.expiry = asyncio.get_running_loop().time() + (self.lease or 1e9)

    async def load(self) -> dict[str, str]:
        return dict(self.kept.cursors)

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        self.check()
        self.extend()
        self.keep_events(events)
        self.keep_cursors(cursors)

    def check(self) -> None:
        if self.epoch is None:
            raise StoreError("not open")
        if self.epoch != self.kept.epoch:
            raise StoreLostError("another took over")

    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        self.kept.cursors.update(cursors)

    def keep_events(self, events: Sequence[Event]) -> None:
        for event in events:
            if event.id not in {kept.id for kept in self.kept.events}:
                self.kept.events.append(event)

    async def aclose(self) -> None:
        if self.epoch == self.kept.epoch:
            self.kept.expiry = -1.0
        self.epoch = None


async def events_of(store: LeasedStore) -> Sequence[Event]:
    return store.kept.events


class NoLease(LeasedStore):
    lease = None


class NoEvents(LeasedStore):
    keeps_events = False

    def keep_events(self, events: Sequence[Event]) -> None:
        pass


class RefusesAtOnce(LeasedStore):
    async def wait_until_free(self) -> None:
        if not self.is_free():
            raise StoreBusyError("another is open")


class IsNotEmpty(LeasedStore):
    async def load(self) -> dict[str, str]:
        return {"run_0": "a"} | await super().load()


class LosesASave(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        if "third" not in str(cursors):
            super().keep_cursors(cursors)


class LosesWhatIsLong(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        super().keep_cursors({run_id: token[:65_536] for run_id, token in cursors.items()})


class KeepsAsciiAlone(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        super().keep_cursors(
            {run_id: token.encode("ascii", "replace").decode() for run_id, token in cursors.items()}
        )


class ForgetsOtherRuns(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        self.kept.cursors = dict(cursors)


class KeepsTheFirst(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        super().keep_cursors({**cursors, **self.kept.cursors})


class KeepsAHundredRuns(LeasedStore):
    def keep_cursors(self, cursors: Mapping[str, str]) -> None:
        super().keep_cursors(dict(list(cursors.items())[:100]))


class HandsOutItsOwn(LeasedStore):
    async def load(self) -> dict[str, str]:
        return self.kept.cursors


class ForgetsWhenClosed(LeasedStore):
    async def aclose(self) -> None:
        self.kept.cursors.clear()
        await super().aclose()


class NeverLetsGo(LeasedStore):
    async def aclose(self) -> None:
        self.kept.expiry = 1e9


class SavesWhenClosed(LeasedStore):
    def check(self) -> None:
        if self.epoch is not None:
            super().check()


class KeepsWhatItRefuses(LeasedStore):
    def check(self) -> None:
        self.kept.cursors["run_closed"] = "nxc1.late"
        super().check()


class FailsWhenClosedAgain(LeasedStore):
    async def aclose(self) -> None:
        if self.epoch is None:
            raise StoreError("closed already")
        await super().aclose()


class AdmitsTwo(LeasedStore):
    def is_free(self) -> bool:
        return True


class AdmitsTwoWithoutALease(NoLease):
    def is_free(self) -> bool:
        return True


class DoesNotExtend(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        expiry = self.kept.expiry
        await super().save(cursors, events)
        self.kept.expiry = expiry


class NeverRunsOut(LeasedStore):
    def is_free(self) -> bool:
        return self.kept.expiry < 0


class WritesWhenReplaced(LeasedStore):
    def check(self) -> None:
        if self.epoch is None:
            raise StoreError("not open")


class KeepsEventsWhenReplaced(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        self.keep_events(events)
        await super().save(cursors, events)


class KeepsCursorsWhenReplaced(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        if self.epoch is not None:
            self.keep_cursors(cursors)
        await super().save(cursors, events)


class SaysNothingWhenReplaced(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        if self.epoch in {None, self.kept.epoch}:
            await super().save(cursors, events)


class KeepsAnEventTwice(LeasedStore):
    def keep_events(self, events: Sequence[Event]) -> None:
        self.kept.events.extend(events)


class LosesEvents(LeasedStore):
    def keep_events(self, events: Sequence[Event]) -> None:
        super().keep_events(events[:1])


class TurnsEventsAround(LeasedStore):
    def keep_events(self, events: Sequence[Event]) -> None:
        super().keep_events(events[::-1])


class SavesByHalves(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        self.check()
        self.extend()
        self.keep_events(events)
        for run_id, token in cursors.items():
            self.keep_cursors({run_id: token})
            await asyncio.sleep(0)


class SavesEventsApart(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        self.check()
        self.extend()
        self.keep_events(events)
        await asyncio.sleep(0)
        self.keep_cursors(cursors)


class StopsWhenCancelled(LeasedStore):
    stopped = False

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        self.check()
        self.extend()
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self.stopped = True
            raise
        if not self.stopped:
            await super().save(cursors, events)


class TakesTooLong(LeasedStore):
    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        await super().save(cursors, events)
        await asyncio.sleep(3)
