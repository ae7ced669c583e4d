"""What the server's clock is off."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, strategies as st

from nexus_async.pacing import ServerClock


def taught(shift: float, *, brackets: int = 40, seed: int = 1, clock: ServerClock | None = None) -> ServerClock:
    """Teach a clock with events that are written `shift` seconds off, polled at random times."""
    random, clock, now = Random(seed), clock or ServerClock(), 0.0
    for _ in range(brackets):
        previous, now = now, now + random.uniform(5, 15)
        seen_from = random.uniform(previous, now)
        clock.note(previous, now, seen_from - shift)
    return clock


def test_a_clock_is_believed_until_something_is_known() -> None:
    assert (ServerClock().shift, ServerClock().noise, ServerClock(7.0).shift) == (0.0, 0.0, 7.0)


def test_one_event_is_somewhere_between_its_two_polls() -> None:
    clock = ServerClock()
    clock.note(100.0, 110.0, 50.0)
    assert (clock.shift, clock.noise) == (55.0, 10.0)


@given(st.floats(-1e6, 1e6), st.integers(0, 1000))
def test_many_events_tell_the_shift(shift: float, seed: int) -> None:
    clock = taught(shift, seed=seed)
    assert abs(clock.shift - shift) <= clock.noise + 1e-6
    assert clock.noise < 5.0


def test_an_event_with_a_wrong_time_does_no_harm() -> None:
    clock = taught(3.0)
    clock.note(1000.0, 1010.0, 5e6)
    clock.note(1010.0, 1020.0, 0.0)
    assert clock.shift == pytest.approx(3.0, abs=1.5)


def test_a_clock_that_was_set_anew_is_believed_after_a_while() -> None:
    clock = taught(600.0, clock=taught(0.0))
    assert clock.shift == pytest.approx(600.0, abs=1.5)


def test_a_first_poll_bounds_the_shift_from_above_alone() -> None:
    clock = ServerClock()
    clock.note(-math.inf, 100.0, 130.0)
    assert clock.shift == -30.0
    clock.note(-math.inf, 100.0, 10.0)
    assert clock.shift == -30.0


def test_a_first_poll_changes_nothing_where_more_is_known() -> None:
    clock = ServerClock()
    clock.note(100.0, 110.0, 50.0)
    clock.note(-math.inf, 100.0, 500.0)
    assert clock.shift == 55.0
