"""JSON beside a type: what is unknown, what lacks, what is of another type, and where."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from nexus_async.doctor.anonymous import short, word
from nexus_async.doctor.known import KNOWN
from nexus_async.doctor.shapes import Difference, differences
from nexus_async.models.run import Run

RUN: dict[str, Any] = {
    "id": "run_1",
    "projectId": "proj_1",
    "flowId": "flow_1",
    "execution": {
        "accelerator": {"name": "GPU_T4", "count": 1},
        "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250, "metric": None},
        "limit": {"metric": "LIM_NONE", "value": 0},
    },
    "features": {"preview": True, "matrix": True, "advancedEvaluation": True, "usingSlidingWindow": False},
    "status": {"overview": "Running", "message": "", "updateDate": 1},
    "createDate": 1,
    "updateDate": 1,
    "logIds": ["runlog_1"],
}


class Leaf(msgspec.Struct, rename="camel"):
    small_number: int = 0


class Tree(msgspec.Struct):
    leaves: list[Leaf]
    by_name: dict[str, float] = {}


def changed(**members: Any) -> dict[str, Any]:
    return {**RUN, **members}


def found(value: Any) -> list[tuple[str, str, str]]:
    return [(each.path, each.kind, each.told) for each in differences(value, Run, known=KNOWN)]


def test_a_run_as_the_reference_has_it_differs_in_nothing() -> None:
    assert found(RUN) == []


def test_a_key_that_is_unknown_is_told_with_its_path() -> None:
    value = changed(execution={**RUN["execution"], "foo": {"bar": 1}})
    assert found(value) == [("Run.execution.foo", "extra", "object")]


def test_a_required_key_that_is_not_there_is_missing_and_an_optional_one_absent() -> None:
    value = {key: item for key, item in RUN.items() if key not in {"id", "logIds"}}
    assert found(value) == [("Run.id", "missing", ""), ("Run.logIds", "absent", "")]


@pytest.mark.parametrize(
    ("members", "path", "told"),
    [
        ({"id": 7}, "Run.id", "integer in place of text"),
        ({"createDate": "1"}, "Run.createDate", "text in place of integer"),
        ({"createDate": 1.5}, "Run.createDate", "number in place of integer"),
        ({"logIds": None}, "Run.logIds", "null in place of list"),
        ({"logIds": [1]}, "Run.logIds[]", "integer in place of text"),
        ({"execution": []}, "Run.execution", "list in place of object"),
        ({"execution": {**RUN["execution"], "limit": 3}}, "Run.execution.limit", "integer in place of object or null"),
        ({"features": {**RUN["features"], "preview": 1}}, "Run.features.preview", "integer in place of boolean"),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_told_by_both_types(members: dict[str, Any], path: str, told: str) -> None:
    assert found(changed(**members)) == [(path, "type", told)]


def test_a_null_that_is_meant_differs_in_nothing() -> None:
    assert found(changed(execution={"accelerator": None, "checkpoint": None, "limit": None})) == []


def test_a_text_that_is_none_of_those_known_is_told() -> None:
    assert found(changed(status={"overview": "Paused", "message": "", "updateDate": 1})) == [
        ("Run.status.overview", "value", "Paused")
    ]


def test_the_items_of_a_list_and_of_a_mapping_are_compared() -> None:
    value = {"leaves": [{}, {"smallNumber": "1", "more": None}], "by_name": {"a": 1, "b": None}}
    assert differences(value, Tree) == [
        Difference("Tree.leaves[].smallNumber", "absent"),
        Difference("Tree.leaves[].smallNumber", "type", "text in place of integer"),
        Difference("Tree.leaves[].more", "extra", "null"),
        Difference("Tree.by_name{}", "type", "null in place of number"),
    ]


def test_a_list_of_models_is_told_as_the_model() -> None:
    assert differences([{"small": 1, "smallNumber": 2}], list[Leaf]) == [
        Difference("Leaf.small", "extra", "integer")
    ]
    assert differences({}, list[Leaf]) == [Difference("Leaf", "type", "object in place of list")]


@pytest.mark.parametrize(
    "text", ["updateDate", "Paused", "Loss/total_loss", "DetectionBoxes_Recall/AR@100 (small)"]
)
def test_a_word_of_the_wire_is_shown(text: str) -> None:
    assert word(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "someone@example.org",
        "run_610ba26c-6fbb-42eb",
        "5aa41e8ba0f15aa41e8b",
        "1700200466147",
        "",
        "x" * 90,
        "über uns",
    ],
)
def test_what_may_be_private_is_told_by_its_length(text: str) -> None:
    assert word(text) == f"<{len(text)} characters>"


def test_an_id_is_shown_by_its_beginning() -> None:
    assert short("run_610ba26c-6fbb-42eb-b838-839c61b68b26") == "run_610b..."
    assert short("5aa41e8ba0f15aa41e8b") == "5aa4..."
    assert short("proj_1") == "proj_..."
