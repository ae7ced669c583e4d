"""The law of the next interval, held against the rule it was made from."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import assume, given, strategies as st

from nexus_async.pacing.staleness import law_of, price_of_first

lengths = st.floats(0.001, 1e5)
histories = st.lists(lengths, max_size=32)
ages = st.floats(0, 1e5)
prices = st.floats(0.01, 1e4)


def weighted_median(intervals: list[float]) -> float:
    known = sorted((length, 0.95**age) for age, length in enumerate(intervals))
    half, passed = sum(weight for _, weight in known) / 2, 0.0
    for length, weight in known:
        passed += weight
        if passed >= half * (1 - 1e-12):
            return length
    return 60.0


def smear(intervals: list[float], which: int, noise: float) -> float:
    length, rest = intervals[which], intervals[:which] + intervals[which + 1 :]
    nearest = sorted(abs(other - length) for other in rest)[:3]
    wide = 2.5 * (nearest[-1] if nearest else 0.0) + 0.002 * weighted_median(intervals)
    return min(length, max(wide, noise, 0.1 * length if len(intervals) <= 4 else 0.0))


def rule(intervals: list[float], noise: float, age: float, silent: float) -> float:
    median = weighted_median(intervals)
    scale = median + silent
    gain = 0.3 * (median / scale * (age - silent) - median * log((median + age) / scale))
    left = 0.3 * median / scale
    for which, length in enumerate(intervals):
        wide = smear(intervals, which, noise)
        low, high = max(silent, length - wide), length + wide
        if high > low:
            density = 0.95**which / (2 * wide)
            gain += density / 2 * (max(0.0, age - low) ** 2 - max(0.0, age - high) ** 2)
            left += density * (high - low)
    return gain / left


@given(histories, st.floats(0, 10), ages, ages)
def test_the_expected_staleness_is_that_of_the_rule(
    intervals: list[float], noise: float, silent: float, more: float
) -> None:
    found = law_of(intervals, noise).expected_staleness(silent + more, silent)
    assert found == pytest.approx(rule(intervals, noise, silent + more, silent), rel=1e-4, abs=1e-4)


@given(histories, ages, ages, ages)
def test_the_expected_staleness_grows_with_age(
    intervals: list[float], silent: float, first: float, second: float
) -> None:
    law = law_of(intervals)
    sooner, later = sorted([silent + first, silent + second])
    assert law.expected_staleness(sooner, silent) <= law.expected_staleness(later, silent) + 1e-6


@given(histories, ages, prices)
def test_at_the_age_that_is_worth_a_price_the_expected_staleness_is_that_price(
    intervals: list[float], silent: float, price: float
) -> None:
    law = law_of(intervals)
    assume(price <= law.mean)
    found = law.expected_staleness(law.age_worth(price, silent), silent)
    assert found == pytest.approx(price, abs=0.002, rel=1e-3)


@given(histories, ages, prices, prices)
def test_a_higher_price_is_worth_waiting_longer(
    intervals: list[float], silent: float, first: float, second: float
) -> None:
    law = law_of(intervals)
    low, high = sorted([first, second])
    assert silent < law.age_worth(low, silent) <= law.age_worth(high, silent) + 0.002


def test_nothing_is_stale_that_was_just_looked_at() -> None:
    assert law_of([10.0]).expected_staleness(5.0, 5.0) == 0.0


def test_a_regular_run_is_worth_a_look_just_after_its_next_event() -> None:
    assert 60 < law_of([60.0] * 32).age_worth(1.0, 0.0) < 62


def test_two_clusters_are_both_kept_sharp() -> None:
    law = law_of(([300.0] + [30.0] * 7) * 4)
    assert 30 < law.age_worth(1.0, 0.0) < 33
    assert 298 < law.age_worth(1.0, 200.0) < 304


def test_what_came_last_counts_most() -> None:
    slower, faster = law_of([60.0] * 16 + [20.0] * 16), law_of([20.0] * 16 + [60.0] * 16)
    assert (slower.median, faster.median) == (60, 20)
    assert slower.mean > faster.mean


def test_noise_blurs_what_intervals_say() -> None:
    sharp, blurred = (law_of([60.0] * 32, noise) for noise in (0.0, 5.0))
    assert sharp.expected_staleness(59.0, 0.0) < 0.5 < blurred.expected_staleness(59.0, 0.0)


def test_few_intervals_prove_less_than_many() -> None:
    few, many = (law_of([60.0] * count) for count in (4, 5))
    assert few.expected_staleness(59.0, 0.0) > 2 * many.expected_staleness(59.0, 0.0)


@given(prices, lengths)
def test_all_pending_events_together_are_worth_the_price(price: float, interval: float) -> None:
    first = price_of_first(price, interval)
    together = max(first, first * (first + interval) / (2 * interval))
    assert together == pytest.approx(price)
