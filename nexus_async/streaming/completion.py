"""Waiting for runs to end, by their status alone."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Self

from nexus_async.config import STATUS_INTERVAL
from nexus_async.errors import RequestError, WaitTimeoutError
from nexus_async.models.run import Run
from nexus_async.streaming.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


class Completions(AsyncIterator[Run]):
    """Yield each of several runs when it is over, soonest first. Made by `runs.as_completed`.

    It asks only inside `anext`, for the status and never for a log; leaving it leaves nothing behind, and
    cancelling it loses nothing.
    """

    def __init__(self, source: Source, run_ids: Iterable[str], *, timeout: float | None, shared: Shared) -> None:
        self._source = source
        self._shared = shared
        self._timeout = timeout
        self._deadline: float | None = None
        self._due = 0.0
        self._listed: int | None = None
        self._outage = Outage(shared)
        self._ended: deque[Run] = deque()
        self._open: dict[str, Run | None] = dict.fromkeys(run_ids)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Run:
        if self._deadline is None and self._timeout is not None:
            self._deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            async with asyncio.timeout_at(None if self._ended else self._deadline):
                return await self._next()
        except TimeoutError:
            raise WaitTimeoutError(seconds=self._timeout or 0.0, statuses=self._statuses()) from None

    async def _next(self) -> Run:
        loop = asyncio.get_running_loop()
        while not self._ended:
            if not self._open:
                raise StopAsyncIteration
            await asyncio.sleep(round(self._due - loop.time(), 6))
            try:
                await self._ask()
            except RequestError as error:
                self._due = loop.time() + self._outage.note(error, loop.time())
            else:
                self._outage.over()
                self._due = loop.time() + STATUS_INTERVAL / 2 + self._shared.jitter(STATUS_INTERVAL)
        return self._ended.popleft()

    async def _ask(self) -> None:
        """Ask in the way that moves fewer bytes: for the list, or for each run that is still open."""
        if len(self._open) == 1 or (self._listed is not None and self._listed > len(self._open)):
            for run_id in list(self._open):
                self._note(await self._source.get_run(run_id))
            return
        runs = {run.id: run for run in await self._source.list_runs()}
        self._listed = len(runs)
        for run_id in list(self._open):
            # one that the list does not have any more is asked for: that raises where it is gone
            self._note(runs.get(run_id) or await self._source.get_run(run_id))

    def _note(self, run: Run) -> None:
        if run.status.is_terminal:
            del self._open[run.id]
            self._ended.append(run)
        else:
            self._open[run.id] = run

    def _statuses(self) -> dict[str, str | None]:
        return {run_id: None if run is None else run.status.overview for run_id, run in self._open.items()}
