"""The price that steers itself."""

from __future__ import annotations

from math import exp

import pytest

from nexus_async.pacing.price import SteeredPrice


def price(*, runs: int = 100, floor: float = 0.001, requests: float = 10.0, bytes_: float = 1e6) -> SteeredPrice:
    steered = SteeredPrice(floor, requests_per_second=requests, bytes_per_second=bytes_)
    for number in range(runs):
        steered.resize(number + 1)
    return steered


@pytest.mark.parametrize(("runs", "requests"), [(1000, 10.0), (1000, 50.0), (300, 1.0)])
def test_it_begins_with_what_the_number_of_runs_and_the_requests_suggest(runs: int, requests: float) -> None:
    assert price(runs=runs, requests=requests).value == pytest.approx((runs / requests) ** 2 / 120)


def test_it_rises_when_every_run_was_due() -> None:
    steered = price(runs=100)
    before = steered.value
    for _ in range(100):
        steered.steer(due=True)
    assert steered.value == pytest.approx(before * exp(0.3))


def test_it_falls_when_every_run_was_early() -> None:
    steered = price(runs=100)
    before = steered.value
    for _ in range(100):
        steered.steer(due=False)
    assert steered.value == pytest.approx(before * exp(-0.3))


def test_it_never_falls_below_its_floor() -> None:
    steered = price(runs=10, floor=2.0)
    for _ in range(1000):
        steered.steer(due=False)
    assert steered.value == steered.of(1) == 2.0


def test_what_was_steered_outlasts_one_more_run() -> None:
    steered = price(runs=1000)
    for _ in range(10_000):
        steered.steer(due=False)
    before = steered.value
    steered.resize(1001)
    assert before < steered.value < 1.01 * before


def test_with_fewer_runs_it_falls() -> None:
    steered = price(runs=1000)
    before = steered.value
    steered.resize(500)
    assert steered.value == pytest.approx(before / 4)


def test_where_requests_bind_every_body_costs_the_same() -> None:
    steered = price(requests=10, bytes_=1e9)
    steered.note(1000)
    assert steered.of(100) == pytest.approx(steered.of(10_000), rel=0.001)


def test_where_bytes_bind_a_body_costs_in_proportion_to_its_size() -> None:
    steered = price(requests=10, bytes_=1e3)
    steered.note(1000)
    assert steered.of(4000) == pytest.approx(4 * steered.of(1000), rel=0.001)
    assert steered.of(1000) == pytest.approx(steered.value)


def test_the_mean_body_follows_what_is_read() -> None:
    steered = price(requests=10, bytes_=1e3)
    steered.note(1000)
    for _ in range(1000):
        steered.note(2000)
    assert steered.of(2000) == pytest.approx(steered.value)
