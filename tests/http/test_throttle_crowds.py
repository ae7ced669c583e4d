"""Whatever a crowd does before a throttle, it lets no more through than it should, and forgets nobody."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given, settings, strategies as st

from nexus_async import Throttle
from nexus_async.http.waiting import Kind
from nexus_async.testing import run_in_virtual_time

if TYPE_CHECKING:
    from nexus_async.http.throttle import Turn

PLANS = st.lists(
    st.tuples(st.sampled_from(["call", "poll", "log", "cancel", "end", "give back", "sleep"]), st.integers(0, 9)),
    max_size=60,
)


class Crowd:
    """Do what a plan says with those who wait, and with those whose turn it is."""

    def __init__(self, throttle: Throttle) -> None:
        self.throttle = throttle
        self.tasks: list[asyncio.Task[None]] = []
        self.turns: list[Turn] = []
        self.peak = 0
        self.sent: list[float] = []

    async def wait(self, kind: Kind) -> None:
        self.turns.append(await self.throttle.turn(kind))

    async def act(self, what: str, which: int) -> None:
        match what:
            case "call" | "poll" | "log":
                self.tasks.append(asyncio.create_task(self.wait(Kind(what))))
            case "cancel" if self.tasks:
                self.tasks[which % len(self.tasks)].cancel()
            case "end" if self.turns:
                self.end(self.turns.pop(which % len(self.turns)), received=which * 10)
            case "give back" if self.turns:
                self.turns.pop(which % len(self.turns)).give_back()
            case "sleep":
                await asyncio.sleep(which * 0.05)
        self.peak = max(self.peak, self.throttle.in_flight)

    def end(self, turn: Turn, *, received: int = 0) -> None:
        self.sent.append(asyncio.get_running_loop().time())
        turn.received += received
        turn.end()

    async def go_home(self) -> None:
        """End all that go on, until everybody had a turn or was cancelled."""
        while self.turns or not all(task.done() for task in self.tasks):
            while self.turns:
                self.end(self.turns.pop())
            await asyncio.sleep(0.01)
            self.peak = max(self.peak, self.throttle.in_flight)


def crowd_of(plan: list[tuple[str, int]], throttle: Throttle) -> Crowd:
    """Let a plan go by, and then time until nobody waits; a turn that is lost is time without end."""

    async def main() -> Crowd:
        crowd = Crowd(throttle)
        for what, which in plan:
            await crowd.act(what, which)
        async with asyncio.timeout(1000):
            await crowd.go_home()
        assert (throttle.in_flight, throttle.waiting, throttle._timer) == (0, 0, None)
        return crowd

    return run_in_virtual_time(main)


rates = st.sampled_from([0.3, 1, 2.5, 7])


@settings(max_examples=200)
@given(plan=PLANS, rate=rates, places=st.integers(1, 3))
def test_whoever_is_not_cancelled_is_served_at_last(
    plan: list[tuple[str, int]], rate: float, places: int
) -> None:
    throttle = Throttle(requests_per_second=rate, max_in_flight=places, bytes_per_second=100)
    crowd = crowd_of(plan, throttle)
    assert throttle.requests == len(crowd.sent)


@settings(max_examples=200)
@given(plan=PLANS, places=st.integers(1, 3))
def test_never_are_more_in_flight_than_allowed_whatever_happens(plan: list[tuple[str, int]], places: int) -> None:
    assert crowd_of(plan, Throttle(max_in_flight=places)).peak <= places


@settings(max_examples=200)
@given(plan=PLANS, rate=rates)
def test_no_window_holds_more_requests_than_a_burst_and_the_rate(
    plan: list[tuple[str, int]], rate: float
) -> None:
    given: list[float] = []

    class Noting(Throttle):
        def _give(self, loop: asyncio.AbstractEventLoop) -> Turn:
            given.append(loop.time())
            return super()._give(loop)

    sparing = [(what, which) for what, which in plan if what not in {"give back", "cancel"}]
    crowd_of(sparing, Noting(requests_per_second=rate))
    for i, begin in enumerate(given):
        for j, end in enumerate(given[i:], 1):
            assert j <= max(1, rate) + rate * (end - begin) + 1e-6
