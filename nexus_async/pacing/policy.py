"""When a run's log is worth the next request."""

from __future__ import annotations

from array import array
from math import inf
from operator import sub
from random import Random
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from nexus_async.config import LONGEST_GAP, MINIMUM_GAP, POLL_JITTER, PRICE, positive
from nexus_async.errors import ConfigurationError
from nexus_async.pacing.staleness import REMEMBERED, IntervalLaw, law_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.pacing.clock import ServerClock


class RunPacing(Protocol):
    """Choose the polls of one run. Times are seconds, on the client's clock where nothing else is said."""

    def seen(self, previous_poll: float, poll: float, times: Sequence[float], /) -> None:
        """Note that a poll brought events with these server's times, perhaps none.

        `previous_poll` is the last one before it that was answered, and `-inf` where there was none.
        """

    def next_poll(self, poll: float, /) -> float:
        """Return when to poll next, after a poll at `poll`."""


class Pacing(Protocol):
    """Say how runs are polled: `Adaptive` or `FixedInterval`."""

    def for_run(self, clock: ServerClock, /) -> RunPacing:
        """Return the pacing of one more run; `clock` is shared by the runs of a client."""


def check_pacing(pacing: Pacing) -> None:
    """Raise `ConfigurationError` where `pacing` is none."""
    if not callable(getattr(pacing, "for_run", None)):
        raise ConfigurationError(f"pacing={pacing!r} is no pacing, such as FixedInterval(seconds)")


class FixedInterval:
    """Poll every `seconds`, each time `jitter` of it sooner or later, so that many streams spread out.

    `random` makes the jitter repeatable.
    """

    def __init__(self, seconds: float, *, jitter: float = POLL_JITTER, random: Random | None = None) -> None:
        self.seconds = positive("seconds", seconds)
        if not isinstance(jitter, (int, float)) or not 0 <= jitter < 1:
            raise ConfigurationError(f"jitter={jitter!r} is no share of the interval from 0 to below 1")
        self.jitter = jitter
        self._random = Random() if random is None else random  # noqa: S311 - no secret hangs on it

    def __repr__(self) -> str:
        return f"FixedInterval({self.seconds!r}, jitter={self.jitter!r})"

    def for_run(self, clock: ServerClock, /) -> FixedInterval:  # noqa: ARG002 - the interval needs no clock
        """Return itself: nothing is remembered of a run."""
        return self

    def seen(self, previous_poll: float, poll: float, times: Sequence[float], /) -> None:
        """Learn nothing."""

    def next_poll(self, now: float) -> float:
        """Return when to poll again, in seconds on the clock of `now`."""
        return now + self.seconds * self._random.uniform(1 - self.jitter, 1 + self.jitter)


class Adaptive:
    """Poll when the expected delay of an event that is not yet seen is worth one request.

    `price` is what a request is worth, in seconds of delay: a smaller one means fresher news and more requests.
    Each run is polled by its own rhythm, learned from the times of its events.
    """

    def __init__(self, price: float = PRICE) -> None:
        self.price = positive("price", price)

    def __repr__(self) -> str:
        return f"Adaptive(price={self.price!r})"

    def for_run(self, clock: ServerClock, /) -> AdaptiveRun:
        """Return the pacing of one more run; `clock` is shared by the runs of a client."""
        return AdaptiveRun(self.price, clock)


NOTHING_KNOWN: Final = law_of(())
SAME_TIME: Final = 0.0005
"""Seconds: server's times are whole milliseconds, so events closer than this were written at once."""


class AdaptiveRun(msgspec.Struct, eq=False, gc=False):
    """The pacing of one run: its last intervals, and where the newest event stands between two polls.

    The warm-up before the first event is no interval. Events of the same time are one, since no poll can come
    between them; a server's time that goes back begins anew.
    """

    price: float
    _clock: ServerClock
    _law: IntervalLaw = NOTHING_KNOWN
    _intervals: bytes = b""
    """The last intervals, newest first, as 64-bit floats: a fleet holds thousands."""
    _newest: float | None = None
    _after: float = inf
    _before: float = inf
    _shown: float = inf
    """When the newest event could first be seen, on the client's clock as it was known at the last poll."""

    def seen(self, previous_poll: float, poll: float, times: Sequence[float], /) -> None:
        """Note that a poll brought events with these server's times, perhaps none."""
        if times:
            self._note(previous_poll, poll, sorted(times))
        elif self._newest is None:
            self._before = min(self._before, poll)
        self._shown = self._arrival()

    def next_poll(self, poll: float, /) -> float:
        """Return when the next poll is worth the run's own price."""
        return self.next_poll_worth(self.price, poll)

    def next_poll_worth(self, price: float, poll: float) -> float:
        """Return when the next poll is worth `price` seconds of delay, after the last one, at `poll`.

        The answer is the same whenever it is asked for, and a smaller price never means a later poll.
        """
        age = self._law.age_worth(price, max(0.0, poll - self._shown))
        return min(max(self._shown + age, poll + MINIMUM_GAP), poll + LONGEST_GAP)

    def _arrival(self) -> float:
        """Return when the newest event could first be seen; the first poll before any."""
        if self._newest is None:
            return self._before
        return min(max(self._newest + self._clock.shift, self._after), self._before)

    def _note(self, previous_poll: float, poll: float, times: Sequence[float]) -> None:
        self._clock.note(previous_poll, poll, times[-1])
        times = times[-REMEMBERED - 1 :]
        before = times[0] if self._newest is None else self._newest
        news = [interval for interval in map(sub, times, [before, *times]) if interval > SAME_TIME]
        self._newest, self._after, self._before = times[-1], previous_poll, poll
        if news:
            intervals = [*reversed(news), *memoryview(self._intervals).cast("d")][:REMEMBERED]
            self._intervals = array("d", intervals).tobytes()
            self._law = law_of(intervals, self._clock.noise)
