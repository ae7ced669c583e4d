"""How stale the news of a run are expected to be."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nexus_async.pacing.staleness import IntervalLaw, law_of

seconds = st.floats(0.01, 1e4)
laws = st.builds(law_of, st.lists(seconds, max_size=32), st.floats(0, 10))


@given(laws, seconds, st.floats(0, 1e4))
def test_news_get_staler_with_age(law: IntervalLaw, age: float, silent: float) -> None:
    now, later = (law.expected_staleness(silent + a, silent) for a in (age, age * 1.1))
    assert -1e-6 <= now <= later + 1e-6


@given(laws, seconds, st.floats(0, 1e4))
def test_news_are_never_staler_than_the_time_that_was_silent(law: IntervalLaw, gap: float, silent: float) -> None:
    assert law.expected_staleness(silent + gap, silent) <= gap + 1e-6


@given(laws, st.floats(0, 1e4))
def test_nothing_is_stale_that_was_just_looked_at(law: IntervalLaw, silent: float) -> None:
    assert law.expected_staleness(silent, silent) == 0.0


@given(laws, st.floats(0.01, 100), st.floats(0, 1e4))
def test_an_age_is_after_the_silence(law: IntervalLaw, price: float, silent: float) -> None:
    assert law.age_worth(price, silent) > silent


@given(laws, st.floats(0.01, 100), st.floats(0, 1e3))
def test_a_higher_price_means_a_greater_age(law: IntervalLaw, price: float, silent: float) -> None:
    assert law.age_worth(price, silent) <= law.age_worth(2 * price, silent) + 1e-2


def test_an_even_rhythm_is_polled_just_after_an_event_is_expected() -> None:
    law = law_of([60.0] * 32)
    assert 60.0 < law.age_worth(1.0, 0.0) < 66.0


def test_a_law_without_intervals_expects_one_a_minute() -> None:
    law = law_of(())
    assert (law.median, law.mean) == (60.0, 60.0)


def test_the_newest_intervals_count_most() -> None:
    fast, slow = [10.0] * 16, [100.0] * 16
    assert law_of(fast + slow).median == 10.0
    assert law_of(slow + fast).median == 100.0


@given(laws, st.floats(0.01, 50), st.floats(0, 100))
def test_the_age_worth_a_price_is_where_staleness_reaches_it(
    law: IntervalLaw, price: float, silent: float
) -> None:
    if price > law.mean:
        return  # then all pending events together are worth it, and the first one alone is less stale
    age = law.age_worth(price, silent)
    assert law.expected_staleness(age, silent) == pytest.approx(price, abs=0.01, rel=0.01)
