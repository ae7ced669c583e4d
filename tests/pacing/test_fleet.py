"""Which of many runs is polled next."""

from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, strategies as st

from nexus_async import Adaptive, ConfigurationError, FixedInterval
from nexus_async.pacing import Fleet, ServerClock


def fleet(
    *runs: str, pacing: FixedInterval | Adaptive | None = None, seed: int = 1, requests: float = 10.0
) -> Fleet:
    random = Random(seed)
    made = Fleet(
        pacing or FixedInterval(10.0, jitter=0),
        ServerClock(),
        requests_per_second=requests,
        bytes_per_second=1e6,
        jitter=lambda pause: random.uniform(0, pause),
    )
    for run in runs:
        made.add(run, 0.0)
    return made


def taken(it: Fleet, now: float, *, early: bool = True) -> list[str]:
    runs = []
    while (run := it.take(now, early=early)) is not None:
        runs.append(run)
    return runs


def test_every_run_is_polled_once_it_is_due() -> None:
    assert sorted(taken(fleet("a", "b", "c"), 1.0)) == ["a", "b", "c"]


def test_first_polls_are_spread_and_the_same_seed_spreads_them_alike() -> None:
    names = [f"run_{i}" for i in range(50)]
    one, again, other = (taken(fleet(*names, seed=seed), 100.0) for seed in (1, 1, 2))
    assert one == again
    assert one != other != names


def test_a_run_that_was_taken_is_not_given_again_until_it_is_done() -> None:
    it = fleet("a")
    assert it.take(1.0) == "a"
    assert it.take(1000.0) is None
    it.done("a", -math.inf, 1.0, [], 100)
    assert (it.take(10.9, early=False), it.take(11.0, early=False)) == (None, "a")


def test_next_due_is_when_a_run_is_given() -> None:
    it = fleet("a")
    it.take(1.0)
    assert it.next_due(1.0) is None
    it.done("a", -math.inf, 1.0, [], 100)
    assert it.next_due(1.0) == 11.0


def test_a_draining_run_goes_first() -> None:
    it = fleet("a", "b", "c")
    taken(it, 1.0)
    it.done("a", -math.inf, 1.0, [], 100)
    it.done("b", -math.inf, 1.0, [], 100)
    it.drain("c", 12.0)
    assert taken(it, 12.0)[0] == "c"


def test_a_draining_run_is_not_polled_before_its_time() -> None:
    it = fleet("a")
    it.take(1.0)
    it.drain("a", 12.0)
    assert (it.next_due(1.0), it.take(11.9), it.take(12.0)) == (12.0, None, "a")


def test_a_run_whose_poll_failed_waits_as_long_as_it_is_told() -> None:
    it = fleet("a")
    it.take(1.0)
    it.postpone("a", 50.0)
    assert (it.next_due(1.0), it.take(49.9), it.take(50.0)) == (50.0, None, "a")


def test_a_run_that_is_removed_is_polled_no_more() -> None:
    it = fleet("a", "b")
    it.remove("a")
    assert (taken(it, 100.0), len(it), "a" in it, "b" in it) == (["b"], 1, False, True)


def test_a_run_that_is_removed_while_it_is_polled_stays_removed() -> None:
    it = fleet("a")
    it.take(1.0)
    it.remove("a")
    it.done("a", -math.inf, 1.0, [], 100)
    it.drain("a", 1.0)
    it.postpone("a", 1.0)
    assert (it.next_due(1.0), it.take(1000.0)) == (None, None)


def test_removing_a_run_that_is_not_there_does_nothing() -> None:
    it = fleet("a")
    it.remove("b")
    assert len(it) == 1


def test_a_run_is_added_once() -> None:
    it = fleet("a")
    with pytest.raises(ValueError, match="the run 'a' is followed already"):
        it.add("a", 0.0)


@pytest.mark.parametrize("name", ["requests_per_second", "bytes_per_second"])
@pytest.mark.parametrize("value", [0, -1, math.nan, True])
def test_a_budget_has_to_be_above_zero(name: str, value: float) -> None:
    budget = {"requests_per_second": 1.0, "bytes_per_second": 1.0, name: value}
    with pytest.raises(ConfigurationError, match=f"{name}=.* is no number above zero"):
        Fleet(Adaptive(), ServerClock(), jitter=float, **budget)


def test_only_an_adaptive_fleet_has_a_price() -> None:
    assert fleet(pacing=FixedInterval(1.0)).price is None
    assert fleet(pacing=Adaptive(3.0)).price == 3.0


@given(runs=st.integers(1, 40), seed=st.integers(0, 100), requests=st.floats(0.5, 20))
def test_no_run_starves_in_a_fleet_that_shares_too_few_requests(runs: int, seed: int, requests: float) -> None:
    it = fleet(*map(str, range(runs)), pacing=Adaptive(), seed=seed, requests=requests)
    last: dict[str, float] = {}
    for turn in range(6 * runs):
        now = turn / requests
        run = it.take(now)
        if run is not None:
            it.done(run, last.get(run, -math.inf), now, [now - 0.5], 1000)
            last[run] = now
    assert len(last) == runs


@given(runs=st.integers(50, 200), seed=st.integers(0, 20))
def test_a_fleet_that_shares_too_few_requests_has_a_higher_price(runs: int, seed: int) -> None:
    it = fleet(*map(str, range(runs)), pacing=Adaptive(1.0), seed=seed, requests=1.0)
    assert it.price is not None
    assert it.price > 1.0


def test_a_run_of_a_fleet_with_too_few_requests_is_ready_before_it_is_due() -> None:
    it = fleet(*map(str, range(40)), pacing=Adaptive(), requests=1.0)
    for at in range(200):
        if (run := it.take(float(at))) is not None:
            it.done(run, at - 40.0, float(at), [at - 20.0], 1000)
    ready, due = it.next_due(-math.inf), it.next_due(-math.inf, early=False)
    assert ready is not None
    assert due is not None
    assert ready < due
    assert it.take((ready + due) / 2, early=False) is None
    assert it.next_due(due) == due
    assert it.take((ready + due) / 2) is not None
