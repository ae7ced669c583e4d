"""Polling at a fixed interval, spread by jitter."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, strategies as st

from nexus_async import ConfigurationError, FixedInterval
from nexus_async.config import POLL_JITTER
from nexus_async.pacing import ServerClock


@given(
    seconds=st.floats(1e-3, 1e5),
    jitter=st.floats(0, 1, exclude_max=True),
    now=st.floats(0, 2e9),
    seed=st.integers(),
)
def test_a_poll_comes_within_its_share_of_the_interval(
    seconds: float, jitter: float, now: float, seed: int
) -> None:
    due = FixedInterval(seconds, jitter=jitter, random=Random(seed)).next_poll(now)
    assert now + seconds * (1 - jitter) - 1e-6 <= due <= now + seconds * (1 + jitter) + 1e-6


def test_polls_are_spread_by_a_tenth_where_nothing_is_said() -> None:
    pacing = FixedInterval(100.0, random=Random(1))
    polls = [pacing.next_poll(0.0) for _ in range(1000)]
    assert 90.0 <= min(polls) < 91.0
    assert 109.0 < max(polls) <= 110.0
    assert pacing.jitter == POLL_JITTER


def test_polls_without_jitter_are_exact() -> None:
    assert FixedInterval(30.0, jitter=0).next_poll(100.0) == 130.0


def test_the_same_seed_gives_the_same_polls() -> None:
    one, other = (FixedInterval(5.0, random=Random(7)) for _ in range(2))
    assert [one.next_poll(0.0) for _ in range(5)] == [other.next_poll(0.0) for _ in range(5)]


def test_two_streams_without_a_seed_do_not_poll_at_once() -> None:
    assert len({FixedInterval(5.0).next_poll(0.0) for _ in range(10)}) > 1


def test_what_a_poll_brought_changes_nothing() -> None:
    pacing = FixedInterval(30.0, jitter=0).for_run(ServerClock())
    pacing.seen(0.0, 30.0, [1.0, 2.0])
    assert pacing.next_poll(30.0) == 60.0


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf, True, "5", None])
def test_an_interval_has_to_be_a_number_above_zero(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=r"seconds=.* is no number above zero"):
        FixedInterval(seconds)


@pytest.mark.parametrize("jitter", [-0.1, 1, 1.5, math.nan, math.inf])
def test_a_jitter_has_to_be_a_share_of_the_interval(jitter: float) -> None:
    with pytest.raises(ConfigurationError, match=f"jitter={jitter} is no share"):
        FixedInterval(5.0, jitter=jitter)


def test_a_pacing_shows_what_it_was_made_with() -> None:
    assert repr(FixedInterval(5.0, jitter=0.2)) == "FixedInterval(5.0, jitter=0.2)"
