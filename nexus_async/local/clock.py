"""The server's time of day, which the event loop's clock moves."""

from __future__ import annotations

import asyncio
import time
from email.utils import formatdate

from nexus_async.local.errors import InvalidArgumentError, NotStartedError


class ServerClock:
    """Tell the time: `epoch` at the start, and then what the event loop's clock has advanced.

    `epoch` is in milliseconds since the Unix epoch; None takes the computer's time at the start.
    On a loop with virtual time the server's time is virtual too.

    Raises `InvalidArgumentError` for an epoch before 1970.
    """

    __slots__ = ("_date", "_date_second", "_epoch", "_loop", "_origin")

    def __init__(self, epoch: int | None) -> None:
        if epoch is not None and epoch < 0:
            raise InvalidArgumentError(f"epoch={epoch} lies before 1970; give milliseconds since then")
        self._epoch = epoch
        self._loop: asyncio.AbstractEventLoop | None = None
        self._origin = 0.0
        self._date = ""
        self._date_second = -1

    def start(self) -> None:
        """Begin to count, from the running loop's present time."""
        self._loop = asyncio.get_running_loop()
        self._origin = self._loop.time()
        if self._epoch is None:
            self._epoch = int(time.time() * 1000)

    @property
    def is_started(self) -> bool:
        """Whether it counts."""
        return self._loop is not None

    def now(self) -> int:
        """Tell the milliseconds since the Unix epoch."""
        if self._loop is None:
            raise NotStartedError("the local server has no time yet: enter it with 'async with' first")
        # round: 0.3 s of a clock that counts in binary fractions are 299.999... ms
        return self.epoch + round((self._loop.time() - self._origin) * 1000)

    @property
    def epoch(self) -> int:
        """The time at the start, in milliseconds since the Unix epoch."""
        if self._epoch is None:
            raise NotStartedError("the local server has no time yet: enter it with 'async with' first")
        return self._epoch

    def http_date(self, skew: float = 0.0) -> str:
        """Tell the time as the `Date` header writes it, wrong by `skew` seconds."""
        second = self.now() // 1000
        if skew:
            return formatdate(second + skew, usegmt=True)
        if second != self._date_second:
            self._date_second = second
            self._date = formatdate(second, usegmt=True)
        return self._date
