"""How much is asked of Nexus at once: requests a second, requests in flight and bytes a second."""

from __future__ import annotations

import asyncio
from math import ceil
from typing import TYPE_CHECKING, Final

from nexus_async.config import (
    BYTES_PER_SECOND,
    MAX_IN_FLIGHT,
    REQUESTS_PER_SECOND,
    RETRY_AFTER_CAP,
    positive,
    positive_count,
)
from nexus_async.http.bucket import Bucket
from nexus_async.http.waiting import CALL, LOG, Kind, Waiting

if TYPE_CHECKING:
    from typing import Self

PAUSE: Final = 1.0
"""Seconds without a request after a 429 that does not say for how long."""
_BYTES_BURST: Final = 1.0
"""Seconds' worth of bytes that followed logs may take at once."""
_TICK: Final = 1e-6
"""Seconds to which a pause is rounded up, so that its timer never fires too early and again at once."""
_NOW: Final = 1e-9
"""Seconds that are as good as none: less is what floats lose."""


def _reserved(max_in_flight: int) -> int:
    """Return how many places in flight are for users' own calls alone: polls last long where logs are long."""
    return 0 if max_in_flight <= 2 else 1 if max_in_flight < 16 else 2  # noqa: PLR2004 - as documented


class Turn:
    """Let one request be sent, and hold its place in flight until `end`. In a `with` it ends with the block."""

    __slots__ = ("_loop", "_throttle", "received")

    def __init__(self, throttle: Throttle, loop: asyncio.AbstractEventLoop) -> None:
        self._throttle: Throttle | None = throttle
        self._loop = loop
        self.received = 0
        """Bytes that came; whoever sends the request adds to it while they arrive."""

    def again(self) -> None:
        """Charge one more request, of a turn with which it was sent again."""
        if self._throttle is not None:
            self._throttle._charge(self._loop)  # noqa: SLF001 - the two are one idea

    def end(self) -> None:
        """Free the place in flight and charge the bytes that came. A second time does nothing."""
        throttle, self._throttle = self._throttle, None
        if throttle is not None:
            throttle._take_back(self._loop, self.received)  # noqa: SLF001 - the two are one idea

    def give_back(self) -> None:
        """Free the place in flight and refund the request, of a turn with which nothing was sent."""
        throttle, self._throttle = self._throttle, None
        if throttle is not None:
            throttle._refund(self._loop)  # noqa: SLF001 - the two are one idea
            throttle._take_back(self._loop, self.received)  # noqa: SLF001 - the two are one idea

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


class Throttle:
    """Bound the requests of one client, or of several that share it.

    `requests_per_second` is the rate in the long run; as many, and one at least, may come in a burst. At most
    `max_in_flight` requests are under way; of more than two, the last place is kept for users' own calls, of
    sixteen and more the last two. `bytes_per_second` bounds what logs bring that are followed: after a burst of
    one second's worth, reading them waits until what came is paid for. All else is charged as well, yet does not
    wait for bytes: a log of 29 MB must not hold up somebody's `kill`, nor the news of another run's end. Calls
    overtake polls that wait.

    A 429 holds all back, calls too, for as long as its answer asks; then the rate is half of what it was, and
    grows back within a minute.

    It serves one event loop at a time, and starts afresh in another. Raises `ConfigurationError` for numbers that
    are not above zero.
    """

    __slots__ = (
        "_bucket",
        "_bytes_per_second",
        "_in_flight",
        "_loop",
        "_max_in_flight",
        "_paid",
        "_rate_limited",
        "_received",
        "_requests",
        "_requests_per_second",
        "_timer",
        "_unreserved",
        "_waiting",
    )

    def __init__(
        self,
        *,
        requests_per_second: float = REQUESTS_PER_SECOND,
        max_in_flight: int = MAX_IN_FLIGHT,
        bytes_per_second: float = BYTES_PER_SECOND,
    ) -> None:
        self._requests_per_second = positive("requests_per_second", requests_per_second)
        self._max_in_flight = positive_count("max_in_flight", max_in_flight)
        self._unreserved = max_in_flight - _reserved(max_in_flight)
        self._bytes_per_second = positive("bytes_per_second", bytes_per_second)
        self._rate_limited = self._requests = self._received = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def _here(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._start_afresh(loop)
        return loop

    def _start_afresh(self, loop: asyncio.AbstractEventLoop) -> None:
        self._disarm()
        now, self._loop = loop.time(), loop
        self._in_flight = 0
        self._waiting: Waiting[Turn] = Waiting()
        self._bucket = Bucket(self._requests_per_second, now)
        self._paid = now - _BYTES_BURST
        """When all bytes are paid for."""

    @property
    def requests_per_second(self) -> float:
        """Return the rate in the long run, where no 429 came of late."""
        return self._requests_per_second

    @property
    def max_in_flight(self) -> int:
        """Return how many requests may be under way at once."""
        return self._max_in_flight

    @property
    def bytes_per_second(self) -> float:
        """Return how many bytes followed logs may bring a second, in the long run."""
        return self._bytes_per_second

    @property
    def in_flight(self) -> int:
        """Return how many requests are under way."""
        return 0 if self._loop is None else self._in_flight

    @property
    def waiting(self) -> int:
        """Return how many calls and polls wait for their turn."""
        return 0 if self._loop is None else len(self._waiting)

    @property
    def rate_limited(self) -> int:
        """Return how many 429s came so far."""
        return self._rate_limited

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far, those that aiohttp sent again among them."""
        return self._requests

    @property
    def received(self) -> int:
        """Return how many bytes came so far, of requests that have ended."""
        return self._received

    @property
    def requests_left(self) -> float:
        """Return how many requests may be sent at once now; 0 while a 429 holds all back."""
        whole = max(self._requests_per_second, 1.0)
        return whole if self._loop is None else self._bucket.left(self._loop.time())

    @property
    def bytes_left(self) -> float:
        """Return how many bytes polls may bring before others wait; 0 while they do."""
        seconds = _BYTES_BURST if self._loop is None else min(self._loop.time() - self._paid, _BYTES_BURST)
        return max(seconds, 0.0) * self._bytes_per_second

    async def turn(self, kind: Kind = CALL) -> Turn:
        """Wait until a request of that kind may be sent: calls overtake all else.

        Cancelling the wait loses nothing. Whoever has a turn must `end` it, or `give_back`.
        """
        return self.turn_now(kind) or await self._wait(self._here(), kind)

    def turn_now(self, kind: Kind = CALL) -> Turn | None:
        """Return a turn where nobody has to wait for one, else None."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._start_afresh(loop)
        if self._in_flight >= (self._max_in_flight if kind is CALL else self._unreserved):
            return None
        now = loop.time()
        if self._waiting and not self._waiting.is_free(kind, is_paid=self._is_paid(now)):
            return None
        return self._give(loop) if self._delay(now, kind) <= _NOW else None

    def slow_down(self, seconds: float | None) -> None:
        """Send nothing for `seconds` (None: 1), and halve the rate: an answer of 429 came.

        At most `config.RETRY_AFTER_CAP` seconds are waited for. Several 429s within a second halve the rate once.
        """
        loop = self._here()
        self._rate_limited += 1
        self._bucket.slow_down(loop.time(), min(PAUSE if seconds is None else seconds, RETRY_AFTER_CAP))

    async def _wait(self, loop: asyncio.AbstractEventLoop, kind: Kind) -> Turn:
        waiter: asyncio.Future[Turn] = loop.create_future()
        waiting = self._waiting
        waiting.add(kind, waiter)
        self._wake(loop)
        try:
            return await waiter
        except BaseException:
            if waiter.done() and not waiter.cancelled():
                waiter.result().give_back()
            else:
                waiting.discard(kind, waiter)
                self._wake(loop)
            raise

    def _wake(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give out what there is, to calls first; then set the timer for what comes with time alone."""
        if loop is not self._loop or loop.is_closed():
            return
        now = loop.time()
        while kind := self._waiting.next(is_paid=self._is_paid(now)):
            if self._in_flight >= (self._max_in_flight if kind is CALL else self._unreserved):
                return
            delay = self._delay(now, kind)
            if delay > _NOW:
                self._arm(loop, delay)
                return
            waiter = self._waiting.pop(kind)
            if not waiter.done():
                waiter.set_result(self._give(loop))
        self._disarm()

    def _give(self, loop: asyncio.AbstractEventLoop) -> Turn:
        self._bucket.take()
        self._in_flight += 1
        self._requests += 1
        return Turn(self, loop)

    def _charge(self, loop: asyncio.AbstractEventLoop) -> None:
        self._requests += 1
        if loop is self._loop:
            self._bucket.take()

    def _refund(self, loop: asyncio.AbstractEventLoop) -> None:
        self._requests -= 1
        if loop is self._loop:
            self._bucket.refund()

    def _take_back(self, loop: asyncio.AbstractEventLoop, received: int) -> None:
        self._received += received
        if loop is not self._loop:
            return
        self._in_flight -= 1
        if received:
            self._paid = max(self._paid, loop.time() - _BYTES_BURST) + received / self._bytes_per_second
        if self._waiting:
            self._wake(loop)

    def _is_paid(self, now: float) -> bool:
        return self._paid - now <= _NOW

    def _delay(self, now: float, kind: Kind) -> float:
        """Return the seconds until time alone lets a request through."""
        delay = self._bucket.delay(now)
        return max(delay, self._paid - now) if kind is LOG else delay

    def _arm(self, loop: asyncio.AbstractEventLoop, delay: float) -> None:
        at = loop.time() + ceil(delay / _TICK) * _TICK
        if self._timer is not None and self._timer.when() <= at:
            return
        self._disarm()
        self._timer = loop.call_at(at, self._on_time, loop)

    def _on_time(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        self._wake(loop)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
