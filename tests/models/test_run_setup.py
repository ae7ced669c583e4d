"""What a run is started with: the body that is sent, and what is refused before anything is."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from nexus_async import (
    AcceleratorSetup,
    CheckpointSetup,
    InvalidArgumentError,
    LimitSetup,
    ProjectUpdate,
    RunSetup,
    WorkflowUpdate,
)

REFERENCE: dict[str, Any] = {
    "accelerator": {"name": "GPU_T4", "count": 1},
    "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 250},
    "limit": {"metric": "LIM_NONE", "value": 0},
    "preview": True,
    "matrix": True,
}


def setup(**changes: object) -> dict[str, Any]:
    return {**REFERENCE, **changes}


def test_the_references_setup_makes_the_documented_body() -> None:
    assert RunSetup.parse(REFERENCE).body("flow_1") == {
        "flowId": "flow_1",
        "execution": {
            "accelerator": {"name": "GPU_T4", "count": 1},
            "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250},
            "limit": {"metric": "LIM_NONE", "value": 0},
            "debug": False,
        },
        "features": {"advancedEvaluation": None, "preview": True, "matrix": True},
    }


@pytest.mark.parametrize("preview", [None, True, False])
@pytest.mark.parametrize("advanced", [None, True, False])
@pytest.mark.parametrize("matrix", [None, True, False])
def test_a_preview_that_is_not_given_is_the_advanced_evaluation_or_else_on(
    preview: bool | None, advanced: bool | None, matrix: bool | None
) -> None:
    body = RunSetup.parse(setup(preview=preview, advanced_evaluation=advanced, matrix=matrix)).body("f")
    expected = next(value for value in (preview, advanced, True) if value is not None)
    assert body["features"] == {"advancedEvaluation": advanced, "preview": expected, "matrix": matrix}


def test_a_metric_and_debug_are_sent() -> None:
    checkpoint = {"strategy": "STRAT_LOWEST_VALIDATION_LOSS", "metric": "Loss/total_loss"}
    body = RunSetup.parse(setup(checkpoint=checkpoint, debug=True)).body("f")
    assert body["execution"]["debug"] is True
    assert body["execution"]["checkpoint"] == {**checkpoint, "evaluationInterval": 250}


def test_what_need_not_be_given_has_a_default() -> None:
    sparse = {"accelerator": {"name": "GPU_L4"}, "checkpoint": {"strategy": "STRAT_EVERY_N_EPOCH"}}
    parsed = RunSetup.parse(sparse)
    assert (parsed.accelerator.count, parsed.limit, parsed.debug) == (1, LimitSetup(), False)


def test_a_typed_setup_is_the_same_as_a_mapping() -> None:
    typed = RunSetup(
        accelerator=AcceleratorSetup(name="GPU_T4"),
        checkpoint=CheckpointSetup(strategy="STRAT_ALWAYS_SAVE_LATEST"),
        limit=LimitSetup(metric="LIM_NONE", value=0),
        preview=True,
        matrix=True,
    )
    assert RunSetup.parse(typed) == RunSetup.parse(REFERENCE)


def test_mappings_of_any_kind_and_typed_parts_within_them_serve() -> None:
    mixed = MappingProxyType(
        setup(accelerator=AcceleratorSetup(name="GPU_T4"), limit=MappingProxyType(REFERENCE["limit"]))
    )
    assert RunSetup.parse(mixed) == RunSetup.parse(REFERENCE)


@pytest.mark.parametrize(
    ("metric", "strategy"),
    [
        ("Loss/total_loss", "STRAT_HIGHEST_ACCURACY"),
        ("DetectionBoxes_Precision/mAP", "STRAT_LOWEST_VALIDATION_LOSS"),
        ("Loss/total_loss", "STRAT_ALWAYS_SAVE_LATEST"),
        ("DetectionBoxes_Recall/AR@1", "STRAT_EVERY_N_EPOCH"),
    ],
)
def test_a_metric_that_does_not_go_with_its_strategy_is_refused(metric: str, strategy: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"{metric}.* does not go with {strategy}"):
        RunSetup.parse(setup(checkpoint={"strategy": strategy, "metric": metric}))


@pytest.mark.parametrize(
    "metric", ["DetectionBoxes_Precision/mAP@.50IOU", "DetectionBoxes_Recall/AR@100 (small)"]
)
def test_a_metric_that_goes_with_its_strategy_is_taken(metric: str) -> None:
    checkpoint = CheckpointSetup(strategy="STRAT_HIGHEST_ACCURACY", metric=metric)
    assert RunSetup.parse(setup(checkpoint=checkpoint)).checkpoint.metric == metric


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"accelerator": {"name": "GPU_T4", "count": 0}}, r"count=0.*\$\.accelerator"),
        ({"accelerator": {"name": "GPU_T4", "count": True}}, r"\$\.accelerator\.count"),
        ({"accelerator": {"name": "GPU_T4", "count": "2"}}, r"\$\.accelerator\.count"),
        ({"accelerator": {"name": ""}}, "name is empty"),
        ({"accelerator": {}}, "name"),
        ({"accelerator": "GPU_T4"}, r"\$\.accelerator"),
        ({"accelerator": None}, r"\$\.accelerator"),
        ({"checkpoint": {"strategy": "STRAT_SOMETIMES"}}, "STRAT_SOMETIMES.*STRAT_EVERY_N_EPOCH"),
        ({"checkpoint": {"strategy": "STRAT_EVERY_N_EPOCH", "evaluation_interval": 0}}, "evaluation_interval=0"),
        ({"limit": {"metric": "LIM_HOURS", "value": 1}}, "LIM_HOURS.*LIM_MINUTE"),
        ({"limit": {"metric": "LIM_EPOCHS", "value": 0}}, "value=0"),
        ({"limit": {"metric": "LIM_MINUTE", "value": -5}}, "value=-5"),
        ({"limit": {"metric": "LIM_NONE", "value": -5}}, "value=-5"),
        ({"checkpoint": {"strategy": "STRAT_LOWEST_VALIDATION_LOSS", "metric": "Loss/total"}}, "Loss/total_loss"),
        ({"preview": "yes"}, r"\$\.preview"),
        ({"colour": "red"}, "RunSetup has no key 'colour': there are accelerator, checkpoint"),
        ({"advancedEvaluation": True}, "did you mean 'advanced_evaluation'"),
        ({"checkpoint": {"strategy": "x", "evaluationInterval": 5}}, "did you mean 'evaluation_interval'"),
        ({"limit": {"metrics": "LIM_NONE"}}, r"RunSetup\.limit has no key 'metrics': did you mean 'metric'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(changes: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidArgumentError, match=told):
        RunSetup.parse(setup(**changes))


def test_a_setup_without_an_accelerator_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="accelerator"):
        RunSetup.parse({"checkpoint": REFERENCE["checkpoint"]})


@pytest.mark.parametrize("given", [None, 7, "x", [REFERENCE]])
def test_what_is_no_setup_is_refused(given: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="neither a mapping nor a RunSetup"):
        RunSetup.parse(given)


def test_a_typed_setup_with_a_wrong_type_in_it_is_refused() -> None:
    wrong = RunSetup(accelerator="GPU_T4", checkpoint=CheckpointSetup(strategy="STRAT_EVERY_N_EPOCH"))  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(InvalidArgumentError, match=r"\$\.accelerator"):
        RunSetup.parse(wrong)


@pytest.mark.parametrize("count", [0, -1, True])
def test_a_typed_part_is_checked_when_it_is_made(count: int) -> None:
    with pytest.raises(InvalidArgumentError, match=f"count={count} is no whole number of 1 or more"):
        AcceleratorSetup(name="GPU_T4", count=count)


def test_updates_take_their_one_key_and_no_other() -> None:
    assert ProjectUpdate.parse({"name": "n"}) == ProjectUpdate(name="n")
    assert WorkflowUpdate.parse({"title": "t"}) == WorkflowUpdate(title="t")
    with pytest.raises(InvalidArgumentError, match="WorkflowUpdate has no key 'name'"):
        WorkflowUpdate.parse({"name": "n"})
