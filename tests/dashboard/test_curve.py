"""The course of a run as columns: as many points as are worth drawing."""

from __future__ import annotations

import json
import math

import pytest
from dashboard_pieces import checkpoint
from hypothesis import given, strategies as st

from nexus_async.dashboard.curve import Curve, kept_indexes, leading_metric, written


def curve_of(*losses: float, most: int = 4000) -> Curve:
    curve = Curve(most=most)
    for step, loss in enumerate(losses):
        curve.add(checkpoint(step, totalLoss=loss))
    return curve


def test_checkpoints_become_columns() -> None:
    assert curve_of(2.0, 1.0).written(10) == {
        "count": 2,
        "steps": [0, 1],
        "times": [100.0, 101.0],
        "metrics": {"totalLoss": [2, 1]},
    }


def test_a_metric_that_a_checkpoint_lacks_is_null() -> None:
    curve = curve_of(2.0)
    curve.add(checkpoint(1, accuracy=0.5))
    assert curve.written(10)["metrics"] == {"totalLoss": [2, None], "accuracy": [None, 0.5]}


def test_what_is_not_finite_is_text() -> None:
    assert [written(value) for value in (math.nan, math.inf, -math.inf, None)] == [
        "NaN",
        "Infinity",
        "-Infinity",
        None,
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456789, "0.12346"), (1.0, "1"), (1e-300, "1e-300"), (123456.7, "123460.0"), (-0.5, "-0.5")],
)
def test_a_value_has_five_digits(value: float, text: str) -> None:
    assert json.dumps(written(value)) == text


def test_the_lowest_and_the_highest_are_kept() -> None:
    losses = [1.0] * 1000
    losses[321], losses[654] = 9.0, 0.1
    steps = curve_of(*losses).written(20)["steps"]
    assert {0, 321, 654, 999} <= set(steps)
    assert len(steps) <= 20


def test_what_is_no_number_does_not_vanish() -> None:
    losses = [1.0] * 1000
    losses[500] = math.nan
    assert 500 in curve_of(*losses).written(20)["steps"]


def test_a_long_curve_is_thinned_out_while_it_grows_and_counts_on() -> None:
    curve = curve_of(*map(float, range(1000)), most=50)
    assert len(curve.steps) <= 101
    assert (curve.count, curve.steps[0], curve.steps[-1]) == (1000, 0, 999)
    assert len(curve.times) == len(curve.metrics["totalLoss"]) == len(curve.steps)


@given(st.lists(st.floats() | st.none(), max_size=300), st.integers(4, 100))
def test_what_is_kept_is_in_order_and_has_both_ends(values: list[float | None], most: int) -> None:
    kept = kept_indexes(values, most)
    assert kept == sorted(set(kept))
    assert len(kept) <= max(most, 4)
    if values:
        assert (kept[0], kept[-1]) == (0, len(values) - 1)


@pytest.mark.parametrize(
    ("names", "leading"),
    [(["accuracy", "totalLoss"], "totalLoss"), (["mAP", "boxLoss"], "boxLoss"), (["mAP"], "mAP"), ([], None)],
)
def test_the_loss_says_what_is_worth_keeping(names: list[str], leading: str | None) -> None:
    assert leading_metric(names) == leading
