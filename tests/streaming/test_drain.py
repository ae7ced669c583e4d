"""When the logs of an ended run are whole."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nexus_async.streaming.drain import Drain


def drained(*snapshots: tuple[float, object], over_for: float = 1.0) -> bool | None:
    drain = Drain(settle=2.0, drain_timeout=10.0)
    for now, snapshot in snapshots:
        drain.note(snapshot, now=now, over_for=over_for)
    return drain.drained


def test_one_snapshot_proves_nothing() -> None:
    assert drained((100.0, "a")) is None


def test_two_equal_snapshots_far_enough_apart_are_whole() -> None:
    assert drained((100.0, "a"), (102.0, "a")) is True


def test_two_equal_snapshots_too_close_prove_nothing() -> None:
    assert drained((100.0, "a"), (101.9, "a")) is None


def test_a_snapshot_that_differs_begins_the_wait_anew() -> None:
    assert drained((100.0, "a"), (101.0, "b"), (102.5, "b")) is None
    assert drained((100.0, "a"), (101.0, "b"), (102.5, "b"), (103.0, "b")) is True


def test_a_snapshot_that_goes_back_is_another() -> None:
    assert drained((100.0, "a"), (101.0, "b"), (102.0, "a")) is None


def test_logs_that_grow_for_too_long_are_given_up() -> None:
    assert drained(*((100.0 + i, i) for i in range(10))) is None
    assert drained(*((100.0 + i, i) for i in range(11))) is False


def test_logs_that_are_whole_at_the_last_moment_are_whole() -> None:
    assert drained((100.0, "a"), (108.0, "b"), (110.0, "b")) is True


@pytest.mark.parametrize(("over_for", "whole"), [(60.0, None), (60.1, True), (1e9, True), (-5.0, None)])
def test_a_run_that_is_long_over_needs_no_second_snapshot(over_for: float, whole: bool | None) -> None:
    assert drained((100.0, "a"), over_for=over_for) is whole


def test_a_run_without_a_log_is_drained_too() -> None:
    assert drained((100.0, {}), (102.0, {})) is True


def test_the_next_snapshot_is_due_when_it_can_settle() -> None:
    drain = Drain(settle=2.0, drain_timeout=10.0)
    drain.note("a", now=100.0, over_for=0.0)
    drain.note("b", now=101.0, over_for=1.0)
    assert drain.next_poll == 103.0


def test_the_next_snapshot_is_never_due_after_the_time_to_give_up() -> None:
    drain = Drain(settle=2.0, drain_timeout=10.0)
    drain.note("a", now=100.0, over_for=0.0)
    drain.note("b", now=109.0, over_for=9.0)
    assert drain.next_poll == 110.0


@given(st.lists(st.integers(0, 2), min_size=12, max_size=12), st.floats(0, 1e9))
def test_snapshots_taken_when_they_are_due_bring_a_verdict_in_time(grown: list[int], start: float) -> None:
    drain, now, snapshot = Drain(settle=2.0, drain_timeout=10.0), start, 0
    for more in grown:
        snapshot += more
        drain.note(snapshot, now=now, over_for=0.0)
        if drain.drained is not None:
            break
        now = drain.next_poll
    assert drain.drained is not None
    assert now - start <= 10.0 + 1e-6
