"""How long a stream is waited on: in all, and for one more checkpoint."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from nexus_async.config import positive

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Patience:
    """Bound the waits on a stream, in seconds.

    `timeout` counts from the first wait on. `idle_timeout` counts the waits since the last checkpoint alone:
    while the consumer holds one, it stands still, and a wait that was cancelled counts on in the next.
    """

    def __init__(self, *, idle_timeout: float | None, timeout: float | None) -> None:
        self._idle_timeout = None if idle_timeout is None else positive("idle_timeout", idle_timeout)
        self._timeout = None if timeout is None else positive("timeout", timeout)
        self._deadline: float | None = None
        self._waited = 0.0
        self.why = ""
        """What ran out, for people."""

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """Wait within what is left; raise `TimeoutError` when it runs out."""
        loop = asyncio.get_running_loop()
        begin = loop.time()
        if self._deadline is None and self._timeout is not None:
            self._deadline = begin + self._timeout
        try:
            async with asyncio.timeout_at(self._nearest(begin)):
                yield
        except BaseException:
            self._waited += loop.time() - begin
            raise
        self._waited = 0.0

    def _nearest(self, now: float) -> float | None:
        idle = None if self._idle_timeout is None else now + self._idle_timeout - self._waited
        if idle is not None and (self._deadline is None or idle < self._deadline):
            self.why = f"no checkpoint for {self._idle_timeout:g} s"
            return idle
        self.why = f"not over after {self._timeout:g} s" if self._timeout is not None else ""
        return self._deadline
