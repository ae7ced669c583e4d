"""A store in one file, for feeds that go on after a restart of their process."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from nexus_async.config import positive, positive_count
from nexus_async.errors import ConfigurationError, InvalidArgumentError, StoreBusyError, StoreError
from nexus_async.streaming.stores.sqlite_file import IN_MEMORY, SQLiteFile
from nexus_async.streaming.stores.store import already_open, not_open

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from nexus_async.events import Event

T = TypeVar("T")
logger = logging.getLogger("nexus_async.streaming")

LEASE: Final = 15.0
"""Seconds that a process may be silent before another takes its store over."""
ASK_AGAIN: Final = 0.5
"""Seconds between two looks at whether another writer let go."""


class SQLiteStore:
    """Keep cursors, and with `keep_events=True` the events too, in an SQLite file at `path`.

    The file is made where there is none, its directory is not; `":memory:"` keeps all in memory until it is
    closed. The writer holds a lease of `lease` seconds, extended by each save, so that a process that was
    killed locks nobody out: another takes over when the lease has run out, and a writer that was replaced
    can write no more. `open` waits for another's lease for `wait` seconds at most; by default until it is free
    or has run out. `clock` gives seconds since the Unix epoch, the same ones in all processes of this machine.

    Raises `ConfigurationError` for arguments that make no sense.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        keep_events: bool = False,
        lease: float = LEASE,
        wait: float | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if not str(path):
            raise ConfigurationError("path='' is no file: give one, or ':memory:'")
        if wait is not None and wait != 0:
            positive("wait", wait)
        self.keeps_events = keep_events
        self.lease = positive("lease", lease)
        self._path = IN_MEMORY if path == IN_MEMORY else str(Path(path).absolute())
        self._wait = wait
        self._clock = clock
        self._session: _Session | None = None

    def __repr__(self) -> str:
        return f"SQLiteStore({self._path!r}, keep_events={self.keeps_events!r}, lease={self.lease!r})"

    async def open(self) -> None:
        """Become the one writer, or wait for another that is.

        Raises `StoreBusyError` where that takes longer than `wait`, or where it is open already; `StoreError`
        for a file that cannot be used.
        """
        if self._session is not None:
            raise already_open(self)
        self._session = session = self._new_session()
        try:
            await self._take(session)
        except BaseException:
            self._session = None if self._session is session else self._session
            await session.aclose()
            raise

    async def load(self) -> dict[str, str]:
        """Return the cursor's token of every run by the run's ID. It need not be open.

        Raises `StoreError` where there is no file, or it cannot be used.
        """
        return await self._read(lambda file: file.load())

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        """Keep tokens by the runs' IDs, and events: all of it or nothing, on disk on return.

        Raises `StoreLostError`, and keeps nothing, where another writer took over; `StoreError` where it is
        not open, or cannot keep it. A save that is cancelled was made or was not.
        """
        if self._session is None:
            raise not_open(self)
        tokens, kept = dict(cursors), tuple(events) if self.keeps_events else ()
        if not await self._session.run(lambda file: file.save(tokens, kept, self.lease)):
            raise not_open(self)

    async def read_events(
        self, *, after: int = 0, run_id: str | None = None, limit: int = 1000
    ) -> list[tuple[int, Event]]:
        """Return events that were kept, in order, each with its number; it need not be open.

        Numbers grow from 1: `after` is the last one that is known already. `run_id` leaves out what is of other
        runs, or of none; `limit` is how many are returned at most.

        Raises `StoreError` where there is no file, or it cannot be used; `InvalidEventError` for an event of
        a newer release.
        """
        positive_count("limit", limit)
        if after < 0:
            raise InvalidArgumentError(
                f"after={after!r} is no number of an event: they grow from 1, 0 is for all"
            )
        return await self._read(lambda file: file.read_events(after, run_id, limit))

    async def aclose(self) -> None:
        """Let go at once, so that another may open it. A second time does nothing."""
        session, self._session = self._session, None
        if session is not None:
            await session.aclose()

    async def _take(self, session: _Session) -> None:
        loop = asyncio.get_running_loop()
        deadline = math.inf if self._wait is None else loop.time() + self._wait
        is_told = False
        while (left := await self._seconds_left(session)) is not None:
            if not is_told:
                logger.warning("%s has another writer, or one that ended without closing it: waiting", self._path)
                is_told = True
            pause = min(left, ASK_AGAIN, deadline - loop.time())
            if pause <= 0:
                raise StoreBusyError(
                    f"another process writes to {self._path}, or ended without closing it, so that its lease has "
                    "yet to run out: end it, wait longer, or use another file"
                )
            await asyncio.sleep(pause)
        session.check_open()

    async def _seconds_left(self, session: _Session) -> float | None:
        """Take the lease, or return for how many seconds another has it: one in a transaction, for some."""
        try:
            return await session.run(lambda file: file.take(self.lease))
        except StoreBusyError:
            return ASK_AGAIN

    async def _read(self, read: Callable[[SQLiteFile], T]) -> T:
        if self._session is not None:
            return await self._session.run(read)
        session = self._new_session()
        try:
            return await session.run(read)
        finally:
            await session.aclose()

    def _new_session(self) -> _Session:
        return _Session(self._path, self._clock)


class _Session:
    """A thread of its own for a file: what it is given to do is done one after the other, and never by halves."""

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        self._path = path
        self._file = SQLiteFile(path, clock)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="nexus-store")
        self._closed = False

    def check_open(self) -> None:
        if self._closed:
            raise StoreError(f"the store at {self._path} was closed meanwhile: open it again")

    async def run(self, act: Callable[[SQLiteFile], T]) -> T:
        self.check_open()
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, self._file)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        closing = asyncio.ensure_future(loop.run_in_executor(self._thread, self._file.close))
        try:
            await asyncio.shield(closing)
        finally:
            self._thread.shutdown(wait=closing.done())
