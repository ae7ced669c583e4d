"""Which of many runs is polled next, where all share a budget of requests and of bytes a second.

Who may send a request asks `Fleet.take` whom to poll, and tells `Fleet.done` what came of it. A fleet sends
nothing and never waits: the bucket that permits requests is its caller's, who sleeps until `Fleet.next_due`.
"""

from __future__ import annotations

from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING

import msgspec

from nexus_async.config import positive
from nexus_async.pacing.policy import Adaptive, AdaptiveRun
from nexus_async.pacing.price import SteeredPrice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nexus_async.pacing.clock import ServerClock
    from nexus_async.pacing.policy import Pacing, RunPacing


class Fleet:
    """The runs that one client follows, in the order in which they are polled.

    A run is either queued, or taken until `done`, `drain` or `postpone` puts it back. It is due when a poll is
    worth the fleet's price, and ready from when it is worth the price of its `Adaptive` pacing: a request that is
    permitted goes to the earliest due, early where that one is ready. Other pacings have no price, and keep
    exactly to their own times. `clock` is shared by all runs; `jitter` spreads the first polls: it turns a pause,
    in seconds, into the one that is made.

    The budget is `requests_per_second` and `bytes_per_second`.
    """

    def __init__(
        self,
        pacing: Pacing,
        clock: ServerClock,
        *,
        requests_per_second: float,
        bytes_per_second: float,
        jitter: Callable[[float], float],
    ) -> None:
        self._pacing = pacing
        self._clock = clock
        self._requests = positive("requests_per_second", requests_per_second)
        self._price = SteeredPrice(
            pacing.price if isinstance(pacing, Adaptive) else 0.0,
            requests_per_second=requests_per_second,
            bytes_per_second=positive("bytes_per_second", bytes_per_second),
        )
        self._jitter = jitter
        self._members: dict[str, _Member] = {}
        self._waiting = _Queue()
        self._draining = _Queue()

    def __len__(self) -> int:
        return len(self._members)

    def __contains__(self, run_id: object) -> bool:
        return run_id in self._members

    def __repr__(self) -> str:
        return f"Fleet({self._pacing!r}, runs={len(self)}, price={self.price!r})"

    @property
    def price(self) -> float | None:
        """Return what a poll of mean size costs now, in seconds of delay; None where the pacing has no price."""
        return self._price.value if isinstance(self._pacing, Adaptive) else None

    def add(self, run_id: str, now: float) -> None:
        """Follow one more run. Runs that are added at once get their first polls in random order.

        Raises `ValueError` where the fleet has the run.
        """
        if run_id in self._members:
            raise ValueError(f"the run {run_id!r} is followed already")
        pacing = self._pacing.for_run(self._clock)
        kind = _Member if isinstance(pacing, AdaptiveRun) else _AnyMember
        member = self._members[run_id] = kind(run_id, pacing, now, now)
        self._price.resize(len(self))
        self._waiting.put(now + self._jitter(len(self) / self._requests), member)

    def remove(self, run_id: str) -> None:
        """Follow a run no more. One that was taken is not put back."""
        member = self._members.pop(run_id, None)
        if member is not None:
            member.turn = None
            self._price.resize(len(self))

    def next_due(self, now: float, *, early: bool = True) -> float | None:
        """Return when `take` has a run to give, which may be before `now`; None while none is queued."""
        times = []
        if (draining := self._draining.first()) is not None:
            times.append(draining[0])
        if (waiting := self._waiting.first()) is not None:
            due, member = waiting
            times.append(self._ready(member) if early and due > now else due)
        return min(times, default=None)

    def take(self, now: float, *, early: bool = True) -> str | None:
        """Return the run to spend a request on, or None where none is due, nor ready if `early`.

        Draining polls that are due go first.
        """
        draining = self._draining.first()
        if draining is not None and draining[0] <= now:
            return self._draining.pop()
        waiting = self._waiting.first()
        if waiting is None:
            return None
        due, member = waiting
        if now < due and not (early and now >= self._ready(member)):
            return None
        self._price.steer(due=due <= now)
        return self._waiting.pop()

    def done(self, run_id: str, previous_poll: float, poll: float, times: Sequence[float], size: int) -> None:
        """Put a run back after a poll that brought events with these server's times, in a body of `size` bytes.

        `previous_poll` is its last poll before that was answered, `-inf` where there was none. A run that was
        removed meanwhile stays removed.
        """
        member = self._members.get(run_id)
        if member is None:
            return
        member.pacing.seen(previous_poll, poll, times)
        member.size = size
        self._price.note(size)
        member.poll, member.ready = poll, None
        self._waiting.put(self._due(member), member)

    def drain(self, run_id: str, at: float) -> None:
        """Poll a run at `at` and not before, ahead of all that are not draining: for snapshots after its end."""
        if (member := self._members.get(run_id)) is not None:
            self._draining.put(at, member)

    def postpone(self, run_id: str, at: float) -> None:
        """Poll a run at `at` and not before; for one whose poll failed and taught nothing."""
        if (member := self._members.get(run_id)) is not None:
            member.ready = at
            self._waiting.put(at, member)

    def _due(self, member: _Member) -> float:
        price = self._price.of(member.size)
        if price > self._price.floor and isinstance(member.pacing, AdaptiveRun):
            return member.pacing.next_poll_worth(price, member.poll)
        return self._ready(member)

    def _ready(self, member: _Member) -> float:
        """Return from when a run may be taken early; decided when it is asked for, of the next one alone."""
        if member.ready is None:
            member.ready = member.pacing.next_poll(member.poll)
        return member.ready


class _Member(msgspec.Struct, gc=False):
    """One run of a fleet; `turn` is its entry in a queue, None while it is taken."""

    run_id: str
    pacing: RunPacing
    poll: float
    """When it was polled last, or added."""
    ready: float | None
    size: int = 0
    turn: int | None = None


class _AnyMember(_Member, gc=True):
    """One whose pacing is a user's own, which may hold what holds the fleet."""


class _Queue:
    """Members by their time, and among those of one time in the order they came.

    Who is put anew or removed leaves an entry behind, which is skipped when its time comes.
    """

    _turns = count()

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, _Member]] = []

    def put(self, at: float, member: _Member) -> None:
        member.turn = next(self._turns)
        heappush(self._heap, (at, member.turn, member))

    def first(self) -> tuple[float, _Member] | None:
        while self._heap:
            at, turn, member = self._heap[0]
            if member.turn == turn:
                return at, member
            heappop(self._heap)
        return None

    def pop(self) -> str:
        """Take the member that `first` returned, and return its run."""
        _, _, member = heappop(self._heap)
        member.turn = None
        return member.run_id
