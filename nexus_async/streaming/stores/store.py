"""Where a feed keeps how far each run was handled, so that a restart goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from nexus_async.errors import StoreBusyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nexus_async.events import Event


class Store(Protocol):
    """Keep cursors, and events beside them where it wants to. One writer at a time.

    `nexus_async.testing.check_store` tests whether a store keeps what is promised here.
    """

    @property
    def keeps_events(self) -> bool:
        """Tell whether `save` wants the events; where it does not, none are collected."""

    @property
    def lease(self) -> float | None:
        """Return after how many seconds a writer that saves nothing may lose the store; None: never.

        A feed saves at least three times in that, an empty `save` if need be.
        """

    async def open(self) -> None:
        """Become the one writer; wait for another to let go, or to lose its lease, as the store sees fit.

        Raises `StoreBusyError` where another did not in time, `StoreError` for what cannot be opened. Where it
        raises, or is cancelled, nothing is left to close.
        """

    async def load(self) -> dict[str, str]:
        """Return the cursor's token of every run by the run's ID, of ended runs too."""

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        """Keep tokens by the runs' IDs, and the events before them: all of it or nothing, on disk on return.

        Runs that are not among `cursors` stay as they are; an event whose `id` is kept already is not kept
        again. A save that is cancelled was made or was not.

        Raises `StoreLostError`, and keeps nothing, where another writer took over; `StoreError` where the
        store is not open, or cannot keep it.
        """

    async def aclose(self) -> None:
        """Let go at once, so that another may open it. A second time does nothing."""


METHODS: Final = ("open", "load", "save", "aclose")
ATTRIBUTES: Final = ("keeps_events", "lease")


def missing_of(store: object) -> list[str]:
    """Return the names of what an object lacks to be a `Store`: a method is called, an attribute is told."""
    return [
        *(name for name in METHODS if not callable(getattr(store, name, None))),
        *(name for name in ATTRIBUTES if not hasattr(store, name)),
    ]


class MemoryStore:
    """Keep cursors in memory: for tests, and for a feed that is started again within one process.

    With `keep_events=True`, `events` has what was saved, each `id` once. It is opened by one writer at a time,
    and may be opened again after `aclose`.
    """

    lease = None
    """Never: a writer in this process lets go by `aclose` alone."""

    def __init__(self, *, keep_events: bool = False) -> None:
        self.keeps_events = keep_events
        self.events: list[Event] = []
        """The events that were saved, oldest first."""
        self._ids: set[str] = set()
        self._cursors: dict[str, str] = {}
        self._opened = False

    def __repr__(self) -> str:
        return f"MemoryStore(keep_events={self.keeps_events!r})"

    async def open(self) -> None:
        """Become the one writer. Raises `StoreBusyError` where it is open."""
        if self._opened:
            raise already_open(self)
        self._opened = True

    async def load(self) -> dict[str, str]:
        """Return the cursor's token of every run by the run's ID."""
        return dict(self._cursors)

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        """Keep tokens by the runs' IDs, and the events. Raises `StoreError` where it is not open."""
        if not self._opened:
            raise not_open(self)
        self._cursors.update(cursors)
        for event in events if self.keeps_events else ():
            if event.id not in self._ids:
                self._ids.add(event.id)
                self.events.append(event)

    async def aclose(self) -> None:
        """Let go. A second time does nothing."""
        self._opened = False


def already_open(store: Store) -> StoreBusyError:
    """Return the error of a store that is opened a second time."""
    return StoreBusyError(f"{store!r} is open already: close it first, or give each feed a store of its own")


def not_open(store: Store) -> StoreError:
    """Return the error of a store that was not opened, or was closed."""
    return StoreError(f"{store!r} is not open: `await store.open()` before saving")
