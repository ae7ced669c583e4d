"""Tasks that do jobs of which each has to be waited for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")


class Crew(Generic[T]):
    """Let one task wait for a job by `find`, and do it by `do` while another waits for the next.

    Who is done rests until it is called up to wait: a task for every job would cost more than many a job.
    """

    def __init__(self, find: Callable[[], Awaitable[T]], do: Callable[[T], Awaitable[None]]) -> None:
        self._find = find
        self._do = do
        self._waiting: asyncio.Task[None] | None = None
        self._resting: list[asyncio.Future[None]] = []
        self._is_stopped = False

    def start(self, group: asyncio.TaskGroup) -> None:
        """Begin, in tasks of the group."""
        self._group = group
        self._call_up()

    def stop(self) -> None:
        """Begin no more jobs; those that are begun are done to their end."""
        self._is_stopped = True
        if self._waiting is not None:
            self._waiting.cancel()
        for rest in self._resting:
            rest.cancel()

    def _call_up(self) -> None:
        """Let one who rests wait for the next job, or one more where nobody does."""
        while self._resting:
            rest = self._resting.pop()
            if not rest.done():
                rest.set_result(None)
                return
        self._group.create_task(self._work())

    async def _work(self) -> None:
        loop, me = asyncio.get_running_loop(), asyncio.current_task()
        while not self._is_stopped:
            self._waiting = me
            job = await self._find()
            self._waiting = None
            self._call_up()
            await self._do(job)
            if not self._is_stopped:  # a job may be what stops it
                rest: asyncio.Future[None] = loop.create_future()
                self._resting.append(rest)
                await rest
