"""A confusion matrix: counts, and what follows from them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from nexus_async import ConfusionMatrix, InvalidMatrixError
from nexus_async.models.confusion_matrix import RunConfusionMatrix, decode_matrix

REFERENCE = ["RBC", "WBC", "Platelets", "boat", "Background"]
MISSED = {"RBC": 302, "WBC": 27, "Platelets": 22, "boat": 2}

counts = st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=4, max_size=4)


def wire(**evaluations: object) -> RunConfusionMatrix:
    text = json.dumps({key.lstrip("_"): value for key, value in evaluations.items()})
    return decode_matrix(json.dumps({"object": "confusionMatrix", "data": text}).encode())


def column(predicted: str, **cells: float) -> dict[str, Any]:
    return {"id": predicted, "data": [{"x": true, "y": y} for true, y in cells.items()]}


def matrix(rows: list[list[int]], classes: tuple[str, ...] = ("a", "b", "c", "Background")) -> ConfusionMatrix:
    return ConfusionMatrix(evaluation="1", classes=classes, counts=tuple(map(tuple, rows)))


def test_the_references_sample_is_a_model_that_finds_nothing() -> None:
    nothing = [column(name, **dict.fromkeys(REFERENCE, 0)) for name in REFERENCE[:-1]]
    latest = wire(_0=[*nothing, column("Background", **MISSED, Background=0)]).latest
    assert latest.classes == tuple(REFERENCE)
    assert latest.count(predicted="Background", true="RBC") == 302
    assert latest.recall == dict.fromkeys(MISSED, 0.0)
    assert all(math.isnan(share) for share in latest.precision.values())


def test_precision_recall_f1_and_accuracy_by_hand() -> None:
    it = matrix([[8, 1, 1], [2, 5, 0], [0, 4, 0]], ("cat", "dog", "Background"))
    assert it.precision == {"cat": 0.8, "dog": 5 / 7}
    assert it.recall == {"cat": 0.8, "dog": 0.5}
    assert it.f1 == {"cat": pytest.approx(0.8), "dog": pytest.approx(10 / 17)}
    assert it.accuracy == 13 / 21


def test_a_class_that_does_not_occur_has_no_shares() -> None:
    it = matrix([[0, 0], [0, 3]], ("cat", "dog"))
    assert [math.isnan(share["cat"]) for share in (it.precision, it.recall, it.f1)] == [True, True, True]


@given(counts)
def test_recall_is_the_diagonal_over_true_and_precision_over_predicted(rows: list[list[int]]) -> None:
    it = matrix(rows)
    for over, shares in (("true", it.recall), ("predicted", it.precision)):
        normalized = it.normalized(over)  # type: ignore[arg-type]  # a literal
        for name, share in shares.items():
            assert math.isnan(share) or normalized.count(predicted=name, true=name) == pytest.approx(share)


@given(counts)
def test_normalized_sums_to_one_wherever_there_is_something(rows: list[list[int]]) -> None:
    by_true = matrix(rows).normalized().counts
    assert all(sum(row[j] for row in by_true) == pytest.approx(int(any(r[j] for r in rows))) for j in range(4))
    everything = sum(map(sum, matrix(rows).normalized("all").counts))
    assert everything == pytest.approx(int(any(map(sum, rows))))


@given(counts)
def test_without_background_keeps_exactly_the_real_classes(rows: list[list[int]]) -> None:
    it = matrix(rows).without_background()
    assert it.classes == ("a", "b", "c")
    assert it.counts == tuple(tuple(row[:3]) for row in rows[:3])


def test_without_background_changes_nothing_where_there_is_none() -> None:
    it = matrix([[1, 2], [3, 4]], ("a", "b"))
    assert it.without_background() == it


def test_normalizing_over_anything_else_is_refused() -> None:
    with pytest.raises(InvalidMatrixError, match="over 'rows'"):
        matrix([[1]], ("a",)).normalized("rows")  # type: ignore[arg-type]  # what the test is about


def test_an_unknown_class_is_refused_by_name() -> None:
    with pytest.raises(InvalidMatrixError, match="no class 'cow': there are a"):
        matrix([[1]], ("a",)).count(predicted="a", true="cow")


def test_columns_may_list_their_cells_in_any_order_and_leave_some_out() -> None:
    it = wire(_1=[column("a", b=2, a=1), column("b", b=3)]).latest
    assert it.counts == ((1, 2), (0, 3))


def test_counts_are_whole_numbers_however_they_are_written() -> None:
    [[count]] = wire(_1=[column("a", a=3.0)]).latest.counts
    assert isinstance(count, int)


def test_evaluations_are_in_the_order_of_their_steps() -> None:
    it = wire(_10=[column("a", a=10)], _9=[column("a", a=9)], final=[column("a", a=1)])
    assert list(it.evaluations) == ["final", "9", "10"]
    assert it.latest.counts == ((10,),)
    assert it.latest.evaluation == "10"


def test_data_may_come_as_an_object_too() -> None:
    it = decode_matrix(b'{"object":"confusionMatrix","data":{"1":[{"id":"a","data":[{"x":"a","y":1.0}]}]}}')
    assert it.latest.counts == ((1,),)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ([column("a", a=1), column("a", a=1)], "a class stands twice among a, a"),
        ([{"id": "a", "data": [{"x": "a", "y": 1}, {"x": "a", "y": 2}]}], "column 'a': a row stands twice"),
        ([column("a", b=1)], "row 'b' is no column"),
        ([column("a", a=-1)], "-1 is no count"),
        ([{"id": "a", "data": [{"x": "a", "y": "inf"}]}], "inf is no count"),
        ([{"id": "a", "data": [{"x": "a", "y": "nan"}]}], "nan is no count"),
        ([{"id": "a"}], "data"),
        ("x", "array"),
    ],
)
def test_a_matrix_that_makes_no_sense_is_refused_and_its_text_stays(columns: Any, told: str) -> None:
    broken = wire(_1=columns)
    with pytest.raises(InvalidMatrixError, match=told):
        _ = broken.evaluations
    assert json.loads(str(broken.data)) == {"1": columns}


def test_text_that_is_no_json_is_refused_and_stays() -> None:
    broken = decode_matrix(b'{"object":"confusionMatrix","data":"{oops"}')
    with pytest.raises(InvalidMatrixError, match="not what the API promises"):
        _ = broken.latest
    assert broken.data == "{oops"


def test_a_run_that_was_not_evaluated_yet_has_no_latest() -> None:
    assert wire().evaluations == {}
    with pytest.raises(InvalidMatrixError, match="not evaluated yet"):
        _ = wire().latest
