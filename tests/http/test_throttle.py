"""A throttle on virtual time: how many requests, in which order, and what a 429 changes."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import ConfigurationError, Throttle
from nexus_async.http.waiting import Kind
from nexus_async.testing import run_in_virtual_time, virtual_time_loop

if TYPE_CHECKING:
    from nexus_async.http.throttle import Turn

virtual = pytest.mark.virtual_time


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


def timers() -> list[asyncio.TimerHandle]:
    loop: Any = asyncio.get_running_loop()
    return [timer for timer in loop._scheduled if not timer.cancelled()]


async def times_of(throttle: Throttle, turns: int, kind: Kind = Kind.CALL) -> list[float]:
    """Take turns one after the other, each for no time, and tell when they came."""
    times = []
    for _ in range(turns):
        (await throttle.turn(kind)).end()
        times.append(now())
    return times


async def ask(throttle: Throttle, name: str, given: list[str], kind: Kind = Kind.CALL) -> None:
    (await throttle.turn(kind)).end()
    given.append(name)


async def receive(throttle: Throttle, received: int) -> None:
    with await throttle.turn() as turn:
        turn.received += received


async def cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@virtual
async def test_a_burst_of_a_second_comes_at_once_and_all_else_at_the_rate() -> None:
    assert await times_of(Throttle(requests_per_second=4), 7) == [0, 0, 0, 0, 0.25, 0.5, 0.75]


@virtual
async def test_a_rate_below_one_a_second_begins_with_one_request() -> None:
    assert await times_of(Throttle(requests_per_second=0.1), 3) == [0, 10, 20]


@virtual
async def test_a_pause_saves_up_one_burst_and_no_more() -> None:
    throttle = Throttle(requests_per_second=2)
    await times_of(throttle, 2)
    await asyncio.sleep(100)
    assert await times_of(throttle, 3) == [100, 100, 100.5]


@virtual
async def test_ten_requests_a_second_are_sent_by_default() -> None:
    assert (await times_of(Throttle(), 21))[9:] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1]


@virtual
async def test_no_more_are_in_flight_than_allowed() -> None:
    throttle = Throttle(max_in_flight=2)
    turns = [await throttle.turn() for _ in range(2)]
    waiting = asyncio.create_task(throttle.turn())
    await asyncio.sleep(60)
    assert (throttle.in_flight, throttle.waiting, waiting.done()) == (2, 1, False)
    turns[0].end()
    await waiting
    assert (throttle.in_flight, throttle.waiting, now()) == (2, 0, 60)


@virtual
async def test_thirty_two_are_in_flight_by_default() -> None:
    throttle = Throttle(requests_per_second=1000)
    turns = [throttle.turn_now() for _ in range(33)]
    assert turns.index(None) == 32


@virtual
async def test_calls_overtake_polls_and_each_kind_keeps_its_order() -> None:
    throttle, given = Throttle(requests_per_second=1), list[str]()
    await times_of(throttle, 1)
    async with asyncio.TaskGroup() as tasks:
        for name in ("poll 1", "poll 2", "call 1", "call 2"):
            tasks.create_task(ask(throttle, name, given, Kind.LOG if name.startswith("poll") else Kind.CALL))
    assert given == ["call 1", "call 2", "poll 1", "poll 2"]


@virtual
async def test_a_call_overtakes_polls_where_places_in_flight_are_what_lacks() -> None:
    throttle, given = Throttle(max_in_flight=1), list[str]()
    turn = await throttle.turn()
    async with asyncio.TaskGroup() as tasks:
        for name in ("poll", "call"):
            tasks.create_task(ask(throttle, name, given, Kind.LOG if name == "poll" else Kind.CALL))
        await asyncio.sleep(1)
        turn.end()
    assert given == ["call", "poll"]


@virtual
async def test_bytes_hold_up_polls_until_they_are_paid_for() -> None:
    throttle = Throttle(bytes_per_second=1000)
    await receive(throttle, 6000)
    assert await times_of(throttle, 2, Kind.LOG) == [5, 5]


@virtual
async def test_bytes_hold_up_no_call() -> None:
    throttle = Throttle(bytes_per_second=1000)
    await receive(throttle, 6000)
    held = asyncio.create_task(throttle.turn(Kind.LOG))
    await asyncio.sleep(0)
    assert await times_of(throttle, 2) == [0, 0]
    await cancel(held)


@virtual
async def test_a_seconds_worth_of_bytes_is_free_after_a_pause_and_no_more() -> None:
    throttle = Throttle(bytes_per_second=1000)
    await receive(throttle, 0)
    await asyncio.sleep(100)
    await receive(throttle, 2000)
    assert await times_of(throttle, 1, Kind.LOG) == [101]


@virtual
async def test_a_million_bytes_a_second_are_polled_by_default() -> None:
    throttle = Throttle()
    await receive(throttle, 3_000_000)
    assert await times_of(throttle, 1, Kind.LOG) == [2]


@virtual
async def test_a_call_that_comes_while_a_poll_waits_for_bytes_is_held_up_by_the_rate_alone() -> None:
    throttle = Throttle(requests_per_second=1, bytes_per_second=1)
    await receive(throttle, 1000)
    held = asyncio.create_task(throttle.turn(Kind.LOG))
    await asyncio.sleep(0)
    assert await times_of(throttle, 3) == [1, 2, 3]
    await cancel(held)


@virtual
async def test_a_turn_ends_once() -> None:
    throttle = Throttle()
    turn, other = await throttle.turn(), await throttle.turn()
    turn.received += 5
    for _ in range(3):
        turn.end()
        turn.give_back()
    assert (throttle.in_flight, throttle.received, throttle.requests) == (1, 5, 2)
    other.end()


@virtual
async def test_a_turn_that_is_given_back_was_no_request() -> None:
    throttle = Throttle(requests_per_second=1)
    (await throttle.turn()).give_back()
    assert (throttle.in_flight, throttle.requests) == (0, 0)
    assert await times_of(throttle, 2) == [0, 1]


@virtual
async def test_a_turn_that_is_given_back_goes_to_who_waits() -> None:
    throttle = Throttle(requests_per_second=1)
    turn = await throttle.turn()
    waiting = asyncio.create_task(throttle.turn())
    await asyncio.sleep(0)
    turn.give_back()
    await waiting
    assert now() == 0


@virtual
async def test_a_turn_that_is_given_back_late_makes_no_burst_larger() -> None:
    throttle = Throttle(requests_per_second=1)
    first = await throttle.turn()
    await asyncio.sleep(10)
    second = await throttle.turn()
    for turn in (first, second):
        turn.give_back()
    assert await times_of(throttle, 2) == [10, 11]


@virtual
async def test_a_turn_in_a_with_ends_with_it() -> None:
    throttle = Throttle()
    with await throttle.turn():
        assert throttle.in_flight == 1
    assert throttle.in_flight == 0


@virtual
async def test_nobody_is_asked_to_wait_for_a_turn_that_is_wanted_now() -> None:
    throttle = Throttle(requests_per_second=1)
    assert throttle.turn_now() is not None
    assert throttle.turn_now() is None
    assert throttle.waiting == 0


@virtual
async def test_a_poll_that_is_wanted_now_overtakes_no_poll_that_waits() -> None:
    throttle = Throttle(requests_per_second=1)
    await times_of(throttle, 1)
    taken: list[Turn | None] = []
    asyncio.get_running_loop().call_at(1, lambda: taken.append(throttle.turn_now(Kind.LOG)))
    await throttle.turn(Kind.LOG)
    assert (now(), taken) == (1, [None])


@virtual
async def test_a_call_that_is_wanted_now_need_not_wait_for_polls_that_do() -> None:
    throttle = Throttle(bytes_per_second=1)
    await receive(throttle, 1000)
    held = asyncio.create_task(throttle.turn(Kind.LOG))
    await asyncio.sleep(0)
    assert throttle.turn_now() is not None
    await cancel(held)


@virtual
async def test_a_429_holds_all_back_for_as_long_as_it_asks() -> None:
    throttle = Throttle()
    throttle.slow_down(7)
    first = asyncio.create_task(times_of(throttle, 1, Kind.LOG))
    assert await times_of(throttle, 1) == [7]
    await first
    assert throttle.rate_limited == 1


@virtual
async def test_a_429_that_says_nothing_holds_all_back_for_a_second() -> None:
    throttle = Throttle()
    throttle.slow_down(None)
    assert await times_of(throttle, 1) == [1]


@virtual
async def test_a_429_that_asks_for_an_hour_holds_all_back_for_two_minutes() -> None:
    throttle = Throttle()
    throttle.slow_down(3600)
    assert await times_of(throttle, 1) == [120]


@virtual
async def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    throttle = Throttle()
    throttle.slow_down(7)
    throttle.slow_down(2)
    assert await times_of(throttle, 1) == [7]


@virtual
async def test_those_that_wait_already_wait_for_a_429_too() -> None:
    throttle = Throttle(requests_per_second=1)
    await times_of(throttle, 1)
    waiting = asyncio.create_task(times_of(throttle, 1))
    await asyncio.sleep(0.5)
    throttle.slow_down(10)
    assert (await waiting)[0] > 10


@virtual
async def test_the_pause_after_a_429_ends_without_a_burst_and_at_half_the_rate() -> None:
    throttle = Throttle(requests_per_second=10)
    throttle.slow_down(5)
    assert await times_of(throttle, 3) == pytest.approx([5, 5.2, 5.4], abs=0.01)


@virtual
async def test_the_rate_recovers_within_a_minute_as_on_a_line_to_the_whole() -> None:
    throttle = Throttle(requests_per_second=10)
    throttle.slow_down(0)
    times = await times_of(throttle, 500)
    at = [bisect_left(times, t) for t in (0, 1, 15, 16, 30, 31, 40)]
    assert at[1] - at[0] == pytest.approx(6, abs=1)
    assert at[3] - at[2] == pytest.approx(7.6, abs=1)
    assert at[5] - at[4] == pytest.approx(10, abs=1)
    assert at[6] - at[0] == pytest.approx(15 * 5 + 15 * 10 + 25 - 1 + 100 - 25 + 1, abs=2)


@virtual
async def test_a_slow_rate_recovers_while_a_request_waits_for_it() -> None:
    throttle = Throttle(requests_per_second=0.1)
    throttle.slow_down(0)
    t = (-0.05 + (0.05**2 + 2 * 0.1 / 60) ** 0.5) / (0.1 / 60)  # the root of 0.05 t + (0.1 / 60) t² / 2 = 1
    assert await times_of(throttle, 2) == pytest.approx([0, t], abs=0.01)


@virtual
async def test_several_429s_within_a_second_halve_the_rate_once() -> None:
    throttle = Throttle(requests_per_second=10)
    for _ in range(9):
        throttle.slow_down(1)
        await asyncio.sleep(0.1)
    assert throttle.rate_limited == 9
    first, second = await times_of(throttle, 2)
    assert second - first == pytest.approx(0.2, abs=0.01)


@virtual
async def test_429s_leave_a_twentieth_of_the_rate() -> None:
    throttle = Throttle(requests_per_second=10)
    for _ in range(9):
        throttle.slow_down(100)
        await asyncio.sleep(2)
    first, second = await times_of(throttle, 2)
    assert 1.4 < second - first <= 2


@virtual
async def test_a_wait_that_is_cancelled_passes_its_place_on() -> None:
    throttle = Throttle(requests_per_second=1)
    await times_of(throttle, 1)
    waiting = [asyncio.create_task(times_of(throttle, 1)) for _ in range(3)]
    await asyncio.sleep(0.5)
    await cancel(waiting[0])
    assert [await task for task in waiting[1:]] == [[1], [2]]


@virtual
async def test_a_wait_that_is_cancelled_as_its_turn_comes_gives_it_back() -> None:
    throttle = Throttle(requests_per_second=1)
    turn = await throttle.turn()
    waiting = asyncio.create_task(throttle.turn())
    await asyncio.sleep(0)
    turn.give_back()
    assert throttle.in_flight == 1
    await cancel(waiting)
    assert (throttle.in_flight, throttle.requests) == (0, 0)
    assert await times_of(throttle, 1) == [0]


@virtual
async def test_no_timer_is_left_when_nobody_waits_any_more() -> None:
    throttle = Throttle(requests_per_second=0.01)
    await times_of(throttle, 1)
    waiting = [asyncio.create_task(throttle.turn(kind)) for kind in (Kind.LOG, Kind.CALL, Kind.POLL)]
    await asyncio.sleep(0)
    assert len(timers()) == 1
    for task in waiting:
        await cancel(task)
    assert timers() == []


@virtual
async def test_a_wait_never_spins(monkeypatch: pytest.MonkeyPatch) -> None:
    woken, wake = list[float](), Throttle._wake

    def counted(throttle: Throttle, loop: asyncio.AbstractEventLoop) -> None:
        woken.append(loop.time())
        wake(throttle, loop)

    monkeypatch.setattr(Throttle, "_wake", counted)
    throttle = Throttle(requests_per_second=3, bytes_per_second=7)
    throttle.slow_down(1 / 3)
    await receive(throttle, 100)
    await times_of(throttle, 10, Kind.LOG)
    assert len(woken) <= 4 * 11


def test_in_a_second_loop_it_starts_afresh() -> None:
    throttle = Throttle(requests_per_second=1, max_in_flight=1)

    async def main() -> list[float]:
        throttle.slow_down(100)
        asyncio.create_task(throttle.turn())  # noqa: RUF006 - the loop's end cancels it
        await asyncio.sleep(0)
        return [throttle.waiting]

    async def second() -> list[float]:
        return await times_of(throttle, 2)

    run_in_virtual_time(main)
    assert run_in_virtual_time(second) == [0, 1]


def test_a_turn_of_another_loop_frees_no_place_of_this_one() -> None:
    throttle = Throttle()
    turns: list[Turn] = []

    async def take() -> None:
        turns.append(await throttle.turn())

    async def end() -> int:
        await take()
        turns[0].end()
        return throttle.in_flight

    run_in_virtual_time(take)
    assert run_in_virtual_time(end) == 1


@pytest.mark.parametrize("name", ["requests_per_second", "max_in_flight", "bytes_per_second"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "3", None, True])
def test_a_limit_that_makes_no_sense_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}="):
        Throttle(**{name: value})  # type: ignore[arg-type]  # what the test is about


def test_its_limits_can_be_read() -> None:
    throttle = Throttle(requests_per_second=3, max_in_flight=4, bytes_per_second=5)
    assert (throttle.requests_per_second, throttle.max_in_flight, throttle.bytes_per_second) == (3, 4, 5)


def test_one_that_was_never_used_has_nothing_in_flight() -> None:
    assert (Throttle().in_flight, Throttle().waiting) == (0, 0)


def closed_under_a_waiter(throttle: Throttle) -> Turn:
    """Take a turn in a loop that closes while another is waited for, as a program does that is left in a hurry."""
    loop = virtual_time_loop()
    turn = loop.run_until_complete(throttle.turn())
    waiting = loop.create_task(throttle.turn())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    waiting._log_destroy_pending = False  # type: ignore[attr-defined]  # what the test is about
    return turn


def test_a_turn_that_ends_after_its_loop_wakes_nobody() -> None:
    throttle = Throttle(max_in_flight=1)
    closed_under_a_waiter(throttle).end()
    assert throttle.in_flight == 0


def test_a_timer_of_a_loop_that_closed_holds_up_nobody_in_the_next() -> None:
    throttle = Throttle(requests_per_second=1)
    turn = closed_under_a_waiter(throttle)
    assert run_in_virtual_time(lambda: times_of(throttle, 2)) == [0, 1]
    turn.end()


@virtual
@pytest.mark.parametrize("kind", [Kind.POLL, Kind.LOG])
@pytest.mark.parametrize(
    ("max_in_flight", "polls"), [(1, 1), (2, 2), (3, 2), (15, 14), (16, 14), (32, 30)], ids=str
)
async def test_the_last_places_in_flight_are_for_calls(kind: Kind, max_in_flight: int, polls: int) -> None:
    throttle = Throttle(requests_per_second=1000, max_in_flight=max_in_flight)
    given = [throttle.turn_now(kind) for _ in range(max_in_flight)]
    assert given.count(None) == max_in_flight - polls
    assert [throttle.turn_now() is None for _ in range(max_in_flight - polls)] == [False] * (
        max_in_flight - polls
    )
    assert throttle.turn_now() is None


@virtual
async def test_a_poll_that_waits_for_a_place_is_given_none_of_those_for_calls() -> None:
    throttle = Throttle(requests_per_second=1000, max_in_flight=3)
    turns = [await throttle.turn(Kind.POLL) for _ in range(2)]
    waiting = asyncio.create_task(throttle.turn(Kind.POLL))
    await asyncio.sleep(60)
    assert not waiting.done()
    (await throttle.turn()).end()
    assert not waiting.done()
    turns[0].end()
    await waiting


@virtual
async def test_bytes_hold_up_no_poll_of_a_status_or_a_list() -> None:
    throttle = Throttle(requests_per_second=1000, bytes_per_second=1)
    await receive(throttle, 1000)
    held = [asyncio.create_task(throttle.turn(Kind.LOG)) for _ in range(2)]
    await asyncio.sleep(0)
    assert await times_of(throttle, 2, Kind.POLL) == [0, 0]
    for task in held:
        await cancel(task)


@virtual
async def test_a_poll_that_waits_for_the_rate_overtakes_logs_that_wait_for_bytes() -> None:
    throttle, given = Throttle(requests_per_second=1, bytes_per_second=1), list[str]()
    await receive(throttle, 100)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(ask(throttle, "log", given, Kind.LOG))
        tasks.create_task(ask(throttle, "poll", given, Kind.POLL))
    assert given == ["poll", "log"]


@virtual
async def test_logs_and_polls_come_in_their_order_where_all_is_paid() -> None:
    throttle, given = Throttle(requests_per_second=1), list[str]()
    await times_of(throttle, 1)
    async with asyncio.TaskGroup() as tasks:
        for name, kind in (("log 1", Kind.LOG), ("poll", Kind.POLL), ("log 2", Kind.LOG)):
            tasks.create_task(ask(throttle, name, given, kind))
    assert given == ["log 1", "poll", "log 2"]


@virtual
async def test_a_poll_that_is_wanted_now_overtakes_no_log_that_waits_for_the_rate() -> None:
    throttle = Throttle(requests_per_second=1)
    await times_of(throttle, 1)
    taken: list[Turn | None] = []
    asyncio.get_running_loop().call_at(1, lambda: taken.append(throttle.turn_now(Kind.POLL)))
    await throttle.turn(Kind.LOG)
    assert (now(), taken) == (1, [None])


@virtual
async def test_a_request_that_is_sent_again_counts_against_the_rate() -> None:
    throttle = Throttle(requests_per_second=1)
    with await throttle.turn() as turn:
        turn.again()
    assert throttle.requests == 2
    assert await times_of(throttle, 1) == [2]
