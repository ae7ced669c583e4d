"""Polling by a run's own rhythm."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from nexus_async import Adaptive, ConfigurationError
from nexus_async.config import MINIMUM_GAP
from nexus_async.pacing import RunPacing, ServerClock

NOW = 1_705_466_384.0
prices = st.sampled_from([0.1, 1.0, 30.0])


def followed(
    interval: float, *, price: float = 1.0, hours: float = 1.0
) -> tuple[RunPacing, list[float], list[float]]:
    """Follow a run with an event every `interval` seconds; return its pacing, its polls and each event's delay."""
    pacing = Adaptive(price).for_run(ServerClock())
    polls, delays, previous, poll, written = [], [], -math.inf, NOW, 0
    while poll < NOW + hours * 3600:
        there = int((poll - NOW) // interval)
        times = [NOW + interval * (i + 1) for i in range(written, there)]
        delays += [poll - time for time in times]
        pacing.seen(previous, poll, times)
        polls.append(poll)
        written, previous, poll = there, poll, pacing.next_poll(poll)
    return pacing, polls, delays


@given(
    price=prices,
    polls=st.lists(
        st.tuples(st.floats(0.01, 100), st.lists(st.floats(-200, 0), max_size=4)), min_size=1, max_size=20
    ),
)
def test_the_next_poll_is_never_too_soon_nor_never(price: float, polls: list[tuple[float, list[float]]]) -> None:
    pacing, previous, now = Adaptive(price).for_run(ServerClock()), -math.inf, NOW
    for later, ages in polls:
        pacing.seen(previous, now, [now + age for age in ages])
        due = pacing.next_poll(now)
        assert now + MINIMUM_GAP <= due < math.inf
        previous, now = now, now + later


def test_what_is_learned_of_the_clock_meanwhile_does_not_move_a_poll() -> None:
    clock = ServerClock()
    pacing = Adaptive().for_run(clock)
    pacing.seen(-math.inf, NOW, [NOW - 90, NOW - 50, NOW - 10])
    due = pacing.next_poll(NOW)
    clock.note(NOW + 30, NOW + 31, NOW)  # of another run's event: the server is half a minute behind
    assert clock.shift > 30
    assert pacing.next_poll(NOW) == due
    pacing.seen(NOW, NOW, [])
    assert pacing.next_poll(NOW) != due


@given(prices, prices, st.floats(0, 300), st.floats(-100, 100))
def test_a_smaller_price_never_means_a_later_poll(first: float, second: float, age: float, shift: float) -> None:
    clock = ServerClock(shift)
    pacing = Adaptive().for_run(clock)
    pacing.seen(-math.inf, NOW - age, [NOW - 400, NOW - 350])
    pacing.seen(NOW - age, NOW, [])
    smaller, greater = sorted([first, second])
    assert pacing.next_poll_worth(smaller, NOW) <= pacing.next_poll_worth(greater, NOW)


def test_an_even_rhythm_is_learned_so_that_few_polls_bring_nothing() -> None:
    _, polls, delays = followed(60.0)
    assert len(polls) < 2.5 * len(delays)


def test_an_event_of_an_even_rhythm_is_seen_within_seconds() -> None:
    _, _, delays = followed(60.0)
    assert sum(delays[10:]) / len(delays[10:]) < 5.0


def test_a_faster_run_is_polled_more_often() -> None:
    many, few = (len(followed(interval)[1]) for interval in (5.0, 120.0))
    assert many > 3 * few


def test_a_smaller_price_means_more_polls_and_fresher_news() -> None:
    (_, cheap, soon), (_, dear, late) = followed(60.0, price=0.1), followed(60.0, price=30.0)
    assert len(cheap) > len(dear)
    assert sum(soon) / len(soon) < sum(late) / len(late)


def test_a_run_that_falls_silent_is_polled_ever_less() -> None:
    pacing, polls, _ = followed(10.0, hours=0.2)
    gaps, previous, poll = [], polls[-1], pacing.next_poll(polls[-1])
    for _ in range(30):
        pacing.seen(previous, poll, [])
        gaps.append(pacing.next_poll(poll) - poll)
        previous, poll = poll, pacing.next_poll(poll)
    assert all(after >= before - 1e-3 for before, after in pairwise(gaps[3:]))
    assert gaps[-1] > gaps[3]


def test_events_that_come_ever_faster_are_never_polled_faster_than_the_gap() -> None:
    _, polls, _ = followed(0.01, hours=0.01)
    assert min(after - before for before, after in pairwise(polls)) >= MINIMUM_GAP - 1e-6


def test_events_of_one_time_are_one() -> None:
    one, many = (Adaptive().for_run(ServerClock()) for _ in range(2))
    for i in range(5):
        poll = NOW + 10 * i
        one.seen(poll - 10, poll, [poll - 1])
        many.seen(poll - 10, poll, [poll - 1] * 20)
    assert one.next_poll(NOW + 40) == many.next_poll(NOW + 40)


@given(skew=st.floats(-1e6, 1e6))
def test_a_servers_clock_that_is_wrong_changes_little(skew: float) -> None:
    dues = []
    for off in (0.0, skew):
        pacing, previous = Adaptive().for_run(ServerClock()), -math.inf
        for i in range(1, 9):
            poll = NOW + 10.0 * i
            pacing.seen(previous, poll, [poll - 1.0 + off])
            previous = poll
        dues.append(pacing.next_poll(NOW + 80.0))
    assert dues[0] == pytest.approx(dues[1], abs=0.5)


@pytest.mark.parametrize("price", [0, -1, math.nan, math.inf, True, "1", None])
def test_a_price_has_to_be_a_number_above_zero(price: float) -> None:
    with pytest.raises(ConfigurationError, match=r"price=.* is no number above zero"):
        Adaptive(price)


def test_a_pacing_shows_its_price() -> None:
    assert repr(Adaptive(2.5)) == "Adaptive(price=2.5)"
