"""What polls cost and brought of late."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nexus_async.streaming.feed.rates import MEMORY, MOMENT, Rate, Rates

amounts = st.floats(0.1, 1e6)
pauses = st.floats(0.01, 10.0)


def test_nothing_is_a_rate_of_nothing() -> None:
    assert Rate(5.0).per_second(5.0) == 0.0
    assert Rate(5.0).per_second(50.0) == 0.0


@given(amounts, pauses, st.integers(1, 500))
def test_a_steady_rate_is_right_from_the_beginning(amount: float, pause: float, count: int) -> None:
    rate = Rate(0.0)
    for number in range(1, count + 1):
        rate.add(amount, number * pause)
    # each but for the time since the last that counted as its moment
    assert rate.per_second(count * pause) == pytest.approx(amount / pause, rel=(0.6 * pause + MOMENT) / MEMORY)


@given(amounts, st.floats(1.0, 100.0))
def test_what_is_long_ago_counts_a_third_after_the_memory(amount: float, begun: float) -> None:
    rate = Rate(-1000.0)
    rate.add(amount, begun)
    now = rate.per_second(begun)
    assert rate.per_second(begun + MEMORY) == pytest.approx(now / 2.718281828, rel=1e-6)


@given(st.lists(st.tuples(st.floats(0.0, 1e6), st.floats(-10.0, 100.0)), max_size=50))
def test_a_rate_is_never_below_nothing_even_where_a_clock_goes_back(adds: list[tuple[float, float]]) -> None:
    rate, now = Rate(0.0), 0.0
    for amount, step in adds:
        now += step
        rate.add(amount, now)
        assert rate.per_second(now) >= 0.0


def test_polls_are_counted_by_what_they_brought() -> None:
    now = [0.0]
    rates = Rates(lambda: now[0])
    for number in range(1, 61):
        now[0] = float(number)
        rates.polled(500, brought=number % 3 == 0)
    assert (rates.polls, rates.wasted) == (60, 40)
    assert rates.polls_per_second == pytest.approx(1.0, rel=0.02)
    assert rates.bytes_per_second == pytest.approx(500, rel=0.02)


def test_failures_are_counted_and_those_by_429_again() -> None:
    rates = Rates(lambda: 0.0)
    for limited in (True, False, True):
        rates.failed(limited=limited)
    assert (rates.failures, rates.limited, rates.polls) == (3, 2, 0)
