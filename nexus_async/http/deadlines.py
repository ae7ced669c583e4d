"""Ending what takes too long, with one timer for all of it."""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

_NOW: Final = 1e-6
"""Seconds that a clock may be off: what is due within them is due."""


class Deadlines:
    """Bound blocks as `asyncio.timeout` does, of which thousands a second begin and nearly all end in time.

    To set a timer for each would cost a tenth of a request. Here there is one, for the earliest deadline of those
    that are under way when it is set: it goes off once in a timeout, not once a block.
    """

    __slots__ = ("_loop", "_next", "_timer", "_until")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._next = inf
        self._until: dict[Deadline, float] = {}

    def within(self, seconds: float) -> Deadline:
        """Return a context manager that raises `TimeoutError` where its block is not left in so many seconds."""
        return Deadline(self, seconds)

    def add(self, deadline: Deadline, seconds: float) -> None:
        """Let `deadline` expire in so many seconds, unless it is discarded before."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # the one before is closed, and its timer with it
            self._loop, self._timer, self._next, self._until = loop, None, inf, {}
        until = self._until[deadline] = loop.time() + seconds
        if until < self._next:
            self._set(loop, until)

    def discard(self, deadline: Deadline) -> None:
        """Let `deadline` expire no more."""
        self._until.pop(deadline, None)

    def _set(self, loop: asyncio.AbstractEventLoop, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next, self._timer = at, loop.call_at(at, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Let expire what is due, and come back when the next may be."""
        if loop is not self._loop:
            return
        now, self._next, self._timer = loop.time(), inf, None
        for deadline in [deadline for deadline, until in self._until.items() if until <= now + _NOW]:
            del self._until[deadline]
            deadline.expire()
        if self._until:
            self._set(loop, min(self._until.values()))


class Deadline:
    """Bound one block."""

    __slots__ = ("_cancelled", "_deadlines", "_has_expired", "_seconds", "_task")

    def __init__(self, deadlines: Deadlines, seconds: float) -> None:
        self._deadlines = deadlines
        self._seconds = seconds
        self._task: asyncio.Task[object] | None = None
        self._cancelled = 0
        self._has_expired = False

    def expire(self) -> None:
        """Cancel the block: its time is up."""
        self._has_expired = True
        if self._task is not None:
            self._task.cancel()

    def __enter__(self) -> None:
        if (task := asyncio.current_task()) is None:
            raise RuntimeError("a deadline is for a block within a task")
        self._task, self._cancelled = task, task.cancelling()
        self._deadlines.add(self, self._seconds)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._deadlines.discard(self)
        if self._has_expired and self._task is not None:
            # one that cleans up after a cancellation of its own has it on its count still
            is_cancelled = self._task.uncancel() > self._cancelled
            if kind is asyncio.CancelledError and not is_cancelled:
                raise TimeoutError from error
