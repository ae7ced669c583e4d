"""Training time: the loop's, sped up, or moved by hand."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from typing import TYPE_CHECKING, Protocol

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable


class Timer(Protocol):
    """Something to come that can be called off."""

    def cancel(self) -> None:
        """Call it off."""


class Clock(Protocol):
    """Training time, in seconds."""

    async def sleep(self, seconds: float) -> None:
        """Wait for so much training time."""

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call after so much training time."""


class LoopClock:
    """Let training time pass with the loop's clock, `speed` times as fast.

    Raises `InvalidArgumentError` for a speed that is not above 0.
    """

    def __init__(self, speed: float) -> None:
        if not speed > 0:
            raise InvalidArgumentError(f"speed={speed} must be above 0; 60.0 trains a minute in a second")
        self._speed = speed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / self._speed)

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds / self._speed, callback)


class TrainingClock:
    """Let training time pass by hand, so that a test decides what has happened by when.

    Nothing moves but in `advance`.
    """

    def __init__(self) -> None:
        self.now = 0.0
        """Seconds of training that have passed."""
        self._ordinals = itertools.count()
        self._due: list[tuple[float, int, _Alarm]] = []

    async def advance(self, seconds: float) -> None:
        """Let `seconds` of training pass; all that falls due in them happens, in its order.

        Raises `InvalidArgumentError` for a negative time.
        """
        if seconds < 0:
            raise InvalidArgumentError(f"seconds={seconds} must not be below 0: training time only goes on")
        end = self.now + seconds
        # a training that was just started has to reach its first sleep
        await asyncio.sleep(0)
        while self._due and self._due[0][0] <= end:
            self.now = self._due[0][0]
            self._ring()
            # one turn of the loop brings each that woke to its next sleep
            await asyncio.sleep(0)
        self.now = end
        await asyncio.sleep(0)

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has moved by so many seconds."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # done already where the sleeper was cancelled in this very turn
        alarm = self.call_later(seconds, lambda: None if woken.done() else woken.set_result(None))
        try:
            await woken
        finally:
            alarm.cancel()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        """Call when `advance` has moved by so many seconds."""
        alarm = _Alarm(callback)
        heapq.heappush(self._due, (self.now + seconds, next(self._ordinals), alarm))
        return alarm

    def _ring(self) -> None:
        while self._due and self._due[0][0] <= self.now:
            heapq.heappop(self._due)[2].ring()


class _Alarm:
    __slots__ = ("_callback",)

    def __init__(self, callback: Callable[[], None]) -> None:
        self._callback: Callable[[], None] | None = callback

    def ring(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()

    def cancel(self) -> None:
        self._callback = None
