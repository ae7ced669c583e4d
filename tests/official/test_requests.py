"""What the two clients send for the same calls."""

from __future__ import annotations

from typing import Any

import pytest

from nexus_async import AcceleratorSetup, CheckpointSetup, LimitSetup, ProjectUpdate, RunSetup, WorkflowUpdate

from .callers import Call, Caller, call_ours
from .deviations import HEADERS_ASIDE, IN_HEADERS, check, differences
from .recorder import ANSWERS, RecordedRequest, Recorder

EXECUTION = {
    "accelerator": {"name": "GPU_T4", "count": 1},
    "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 250},
    "limit": {"metric": "LIM_NONE", "value": 0},
}
OF_THE_REFERENCE = EXECUTION | {"preview": True, "matrix": True}
LOWEST_LOSS = EXECUTION | {
    "checkpoint": {"strategy": "STRAT_LOWEST_VALIDATION_LOSS", "metric": "Loss/total_loss"},
    "limit": {"metric": "LIM_EPOCHS"},
    "accelerator": {"name": "GPU_A100_40GB"},
}
HIGHEST_PRECISION = EXECUTION | {
    "checkpoint": {
        "strategy": "STRAT_HIGHEST_ACCURACY",
        "metric": "DetectionBoxes_Precision/mAP (small)",
        "evaluation_interval": 20,
    },
}
SETUPS = {
    "as in the reference": OF_THE_REFERENCE,
    "features not given": EXECUTION,
    "preview off": EXECUTION | {"preview": False},
    "matrix off": EXECUTION | {"matrix": False},
    "advanced evaluation": EXECUTION | {"advanced_evaluation": True},
    "no advanced evaluation": EXECUTION | {"advanced_evaluation": False},
    "advanced evaluation None": EXECUTION | {"advanced_evaluation": None},
    "previews despite no advanced evaluation": EXECUTION | {"advanced_evaluation": False, "preview": True},
    "debug": EXECUTION | {"debug": True},
    "lowest loss, defaults left out": LOWEST_LOSS,
    "highest precision": HIGHEST_PRECISION,
}
CALLS: list[Call] = [
    ("client.get_info",),
    ("client.list_projects",),
    ("project.get_info",),
    ("project.update", {"name": "caf\u00e9"}),
    ("project.list_insights",),
    ("project.list_users",),
    ("project.workflows.list",),
    ("project.workflows.get", "flow_1"),
    ("project.workflows.update", "flow_1", {"title": "better"}),
    ("project.workflows.delete", "flow_1"),
    ("project.runs.list",),
    ("project.runs.get", "run_1"),
    ("project.runs.kill", "run_1"),
    ("project.runs.start", "flow_1", OF_THE_REFERENCE),
    ("project.runs.get_logs", "runlog_1"),
    ("project.runs.get_confusion_matrix", "run_1"),
]


async def sent_by_both(
    recorder: Recorder, theirs: Caller, calls: list[Call]
) -> tuple[list[RecordedRequest], list[RecordedRequest]]:
    answers = await theirs(recorder.account, *calls)
    their = recorder.take()
    answers += await call_ours(recorder.account, *calls)
    assert not [answer for answer in answers if "error" in answer]
    return their, recorder.take()


async def test_every_operation_sends_the_same_method_path_and_body(recorder: Recorder, theirs: Caller) -> None:
    their, our = await sent_by_both(recorder, theirs, CALLS)
    assert [(request.line, request.body) for request in our] == [
        (request.line, request.body) for request in their
    ]
    assert {request.line for request in our} == ANSWERS.keys()


async def test_every_operation_sends_the_same_headers(recorder: Recorder, theirs: Caller) -> None:
    their, our = await sent_by_both(recorder, theirs, CALLS)
    pairs = zip(their, our, strict=True)
    found = [found for one, other in pairs for found in differences(one.headers, other.headers, "")]
    check([difference for difference in found if difference.where not in HEADERS_ASIDE], IN_HEADERS)
    assert all(request.headers.keys() >= HEADERS_ASIDE.keys() for request in their + our)


async def test_headers_that_both_send_carry_the_key_and_the_kind_of_body(recorder: Recorder) -> None:
    await call_ours(recorder.account, *CALLS)
    sent = recorder.take()
    assert {request.headers["Secret-Key"] for request in sent} == {recorder.account.key}
    assert {request.line for request in sent if "Content-Type" not in request.headers} == {
        "DELETE /projects/proj_1/workflows/flow_1"
    }


async def test_each_setup_starts_with_the_same_body(recorder: Recorder, theirs: Caller) -> None:
    calls: list[Call] = [("project.runs.start", "flow_1", setup) for setup in SETUPS.values()]
    their, our = await sent_by_both(recorder, theirs, calls)
    bodies = zip(SETUPS, their, our, strict=True)
    assert [found for name, one, other in bodies for found in differences(one.body, other.body, name)] == []


@pytest.mark.parametrize(
    ("call", "typed"),
    [
        (
            ("project.runs.start", "flow_1", OF_THE_REFERENCE),
            RunSetup(
                accelerator=AcceleratorSetup(name="GPU_T4", count=1),
                checkpoint=CheckpointSetup(strategy="STRAT_ALWAYS_SAVE_LATEST", evaluation_interval=250),
                limit=LimitSetup(metric="LIM_NONE", value=0),
                preview=True,
                matrix=True,
            ),
        ),
        (
            ("project.runs.start", "flow_1", LOWEST_LOSS | {"advanced_evaluation": True, "debug": True}),
            RunSetup(
                accelerator=AcceleratorSetup(name="GPU_A100_40GB"),
                checkpoint=CheckpointSetup(strategy="STRAT_LOWEST_VALIDATION_LOSS", metric="Loss/total_loss"),
                limit=LimitSetup(metric="LIM_EPOCHS"),
                advanced_evaluation=True,
                debug=True,
            ),
        ),
        (("project.update", {"name": "cells"}), ProjectUpdate(name="cells")),
        (("project.workflows.update", "flow_1", {"title": "better"}), WorkflowUpdate(title="better")),
    ],
    ids=["start", "start with defaults", "project", "workflow"],
)
async def test_a_typed_setup_sends_what_their_mapping_does(
    call: Call, typed: Any, recorder: Recorder, theirs: Caller
) -> None:
    await theirs(recorder.account, call)
    await call_ours(recorder.account, (*call[:-1], typed))
    their, our = recorder.take()
    assert (our.line, our.body) == (their.line, their.body)


async def test_a_projects_id_without_its_prefix_asks_for_the_same(recorder: Recorder, theirs: Caller) -> None:
    bare = recorder.account._replace(project="1")
    await theirs(bare, ("project.runs.list",))
    await call_ours(bare, ("project.runs.list",))
    assert [request.line for request in recorder.take()] == ["GET /projects/proj_1/runs"] * 2
