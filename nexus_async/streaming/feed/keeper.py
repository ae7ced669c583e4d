"""How far a feed was handled, kept in its store."""

from __future__ import annotations

import asyncio
import logging
from math import inf
from typing import TYPE_CHECKING, Final

from nexus_async.config import COMMIT_INTERVAL
from nexus_async.errors import InvalidArgumentError, StoreBusyError, StoreLostError
from nexus_async.events import RunAdded
from nexus_async.logs import Cursor
from nexus_async.streaming.feed.handled import Handled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nexus_async.events import RunEvent
    from nexus_async.streaming.stores.store import Store

SLICE: Final = 256
"""Cursors that are read without letting the loop go on: a store may hold tens of thousands."""
logger = logging.getLogger("nexus_async.streaming")


class Keeper:
    """Commit to the store, now and then, what was handled since the last commit. Without a store keep it at hand.

    `cursors` are tokens to begin with; where the store has one of the same run, the store's counts.
    """

    def __init__(self, store: Store | None, cursors: Iterable[str]) -> None:
        self._store = store
        self._given = [Cursor.read(token) for token in cursors]
        self._handled = Handled()
        self._events: list[RunEvent] = []
        self._is_open = self._is_lost = False
        self._saved_at = -inf

    @property
    def cursors(self) -> dict[str, str]:
        """Return the token of each run that is resumed or that something was handled of."""
        return self._handled.cursors

    async def open(self) -> dict[str, Cursor]:
        """Become the store's writer, and return the cursors to begin with, by their runs."""
        cursors = {cursor.run_id: cursor for cursor in self._given}
        tokens = {run_id: cursor.token() for run_id, cursor in cursors.items()}
        if self._store is not None:
            await self._store.open()
            self._is_open, self._saved_at = True, asyncio.get_running_loop().time()
            try:
                kept = await self._store.load()
                cursors |= await _read(kept)
            except BaseException:
                await self.aclose()
                raise
            tokens |= kept
        self._handled.cursors.update(tokens)
        return cursors

    @property
    def is_in_doubt(self) -> bool:
        """Tell whether another may have taken the store over: nothing was saved for as long as its lease."""
        if self._store is None or self._store.lease is None or not self._is_open:
            return False
        return asyncio.get_running_loop().time() - self._saved_at > self._store.lease

    async def make_sure(self) -> None:
        """Make sure that the store is still ours. Raises `StoreLostError` where it is not."""
        await self._commit(is_beat=True)

    def hand_out(self, event: RunEvent) -> None:
        """Note that an event was handed out. A run of which nothing was handled is begun anew after a restart."""
        if isinstance(event, RunAdded):
            self._handled.pass_over(event.run_id, Cursor.read(event.cursor).untold().token())
        self._handled.hand_out(event)

    def pass_over(self, run_id: str, cursor: str) -> None:
        """Note that everything of a run up to `cursor` was held back."""
        self._handled.pass_over(run_id, cursor)

    def ack(self, event: RunEvent) -> None:
        """Note that an event was handled. Raises `InvalidArgumentError` for one that was never handed out."""
        if self._handled.ack(event):
            if self._store is not None and self._store.keeps_events:
                self._events.append(event)
        elif not self._handled.may_have_been(event):
            raise InvalidArgumentError(
                f"{event.id} was not handed out by this feed: ack the events that it gave, before it is closed"
            )

    async def run(self) -> None:
        """Commit until cancelled, often enough to stay the store's writer.

        A store that is held locked for a while is tried again; all else that it raises is raised.
        """
        if self._store is None:
            return
        beat = inf if self._store.lease is None else self._store.lease / 4
        since_save = 0.0
        while True:
            pause = min(COMMIT_INTERVAL, beat)
            await asyncio.sleep(pause)
            since_save += pause
            try:
                if await self._commit(is_beat=since_save >= beat):
                    since_save = 0.0
            except StoreBusyError as busy:  # what could not be kept is kept the next time
                logger.warning("the store cannot be written to, again in %.1f s: %s", pause, busy)

    async def aclose(self) -> None:
        """Commit what is left, and let go of the store."""
        if self._store is None or not self._is_open:
            return
        self._is_open = False
        try:
            if not self._is_lost:
                await self._commit(is_beat=False)
        finally:
            await self._store.aclose()

    async def _commit(self, *, is_beat: bool) -> bool:
        changes, events = self._handled.take_changes(), self._events
        if self._store is None or not (changes or events or is_beat):
            return False
        self._events = []
        try:
            await self._store.save(changes, events)
            self._saved_at = asyncio.get_running_loop().time()
        except BaseException as failure:
            self._is_lost = isinstance(failure, StoreLostError)
            self._handled.give_back(changes)
            self._events = events + self._events
            raise
        return True


async def _read(kept: Mapping[str, str]) -> dict[str, Cursor]:
    cursors: dict[str, Cursor] = {}
    for run_id, token in kept.items():
        cursors[run_id] = Cursor.parse(token, run_id=run_id)
        if len(cursors) % SLICE == 0:
            await asyncio.sleep(0)
    return cursors
