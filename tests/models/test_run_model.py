"""Runs and the other answers, as the reference shows them and as the wire may bend them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from nexus_async.models.base import Decoder
from nexus_async.models.log import decode_run_logs
from nexus_async.models.project import decode_insights, decode_project, decode_users
from nexus_async.models.run import Run, RunFeatures, decode_run, decode_runs
from nexus_async.models.workflow import decode_deletion, decode_workflow
from nexus_async.models.workspace import decode_workspace

WIRE: dict[str, Any] = {
    "id": "run_610ba26c-6fbb-42eb-b838-839c61b68b26",
    "projectId": "proj_cd067221d5a6e4007ccbb4afb5966535",
    "flowId": "flow_63bbd3bf8a78eb906f417396",
    "execution": {
        "accelerator": {"name": "GPU_T4", "count": 1},
        "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250, "metric": None},
        "limit": {"metric": "LIM_NONE", "value": 0},
    },
    "features": {"preview": True, "matrix": True},
    "status": {"overview": "Creating", "message": "Creating service.", "updateDate": 1705466384796},
    "createDate": 1705466384796,
    "updateDate": 1705466392067,
    "logIds": ["runlog_UjYxMGJhMjZjLTZmYmItNDJlYi1iODM4LTgzOWM2MWI2OGIyNg"],
}


def run(**changes: object) -> Run:
    return decode_run(msgspec.json.encode({**WIRE, **changes}))


def test_the_references_run_has_the_references_attributes() -> None:
    assert repr(run()) == (
        "Run(id='run_610ba26c-6fbb-42eb-b838-839c61b68b26', project_id='proj_cd067221d5a6e4007ccbb4afb5966535', "
        "flow_id='flow_63bbd3bf8a78eb906f417396', execution=RunExecution(accelerator=RunAccelerator(name='GPU_T4', "
        "count=1), checkpoint=RunCheckpoint(strategy='STRAT_ALWAYS_SAVE_LATEST', evaluation_interval=250, "
        "metric=None), limit=RunLimit(metric='LIM_NONE', value=0)), status=RunStatus(overview='Creating', "
        "message='Creating service.', update_data=1705466384796), create_date=1705466384796, "
        "update_date=1705466392067, features=RunFeatures(preview=True, matrix=True, advanced_evaluation=False, "
        "using_sliding_window=False), log_ids=['runlog_UjYxMGJhMjZjLTZmYmItNDJlYi1iODM4LTgzOWM2MWI2OGIyNg'])"
    )


def test_a_run_can_be_read_as_a_mapping() -> None:
    it = run()
    assert it["create_date"] == it.create_date == dict(it)["create_date"]
    assert it["logs"] == it.log_ids
    assert it.get("id") == it.id
    assert it.get("nothing") is None
    assert it.get("nothing", 7) == 7
    assert "flow_id" in it
    assert "nothing" not in it
    assert it["status"]["update_data"] == 1705466384796


def test_a_name_that_a_run_has_not_is_a_key_error_that_tells_the_names() -> None:
    with pytest.raises(KeyError, match="Run has no 'nothing'; it has id, project_id"):
        run()["nothing"]


def test_a_method_is_no_key() -> None:
    assert "get" not in run()


def test_the_status_date_reads_by_both_names() -> None:
    assert run().status.update_date == run().status.update_data == run().status["update_date"] == 1705466384796


def test_times_are_datetimes_in_utc_too() -> None:
    assert run().created_at == datetime(2024, 1, 17, 4, 39, 44, 796000, UTC)
    assert run().updated_at > run().status.updated_at


@pytest.mark.parametrize(
    ("overview", "terminal"),
    [("Creating", False), ("Running", False), ("Finished", True), ("Errored", True), ("Cancelled", True), ("Paused", False)],
)  # fmt: skip
def test_three_statuses_end_a_run_and_an_unknown_one_is_kept(overview: str, terminal: bool) -> None:
    status = run(status={"overview": overview, "message": "", "updateDate": 1}).status
    assert (status.overview, status.is_terminal) == (overview, terminal)


def test_what_an_answer_has_beyond_is_ignored() -> None:
    assert run(newThing={"a": [1]}, execution={"debug": True}).execution.limit is None


def test_what_an_answer_may_leave_out_has_a_default() -> None:
    wire = {key: value for key, value in WIRE.items() if key not in {"features", "logIds"}}
    it = decode_run(msgspec.json.encode(wire))
    assert (it.features, it.log_ids, it.logs) == (RunFeatures(), [], [])


def test_null_stands_for_a_default() -> None:
    it = run(features={"preview": None, "matrix": True}, logIds=None)
    assert (it.features, it.log_ids) == (RunFeatures(matrix=True), [])


def test_a_float_that_is_whole_is_an_integer() -> None:
    body = msgspec.json.encode(WIRE).replace(b"1705466392067", b"1705466392067.0").replace(b"250", b"2.5e2")
    it = decode_run(body)
    assert it.update_date == 1705466392067
    assert it.execution.checkpoint is not None
    assert it.execution.checkpoint.evaluation_interval == 250


def test_a_whole_float_beside_a_null_is_taken_too() -> None:
    body = msgspec.json.encode({**WIRE, "logIds": None}).replace(b"1705466392067", b"1705466392067.0")
    assert decode_run(body).update_date == 1705466392067


def test_an_unknown_accelerator_is_kept() -> None:
    accelerator = run(execution={"accelerator": {"name": "TPU_V9", "count": 8}}).execution.accelerator
    assert accelerator is not None
    assert (accelerator.name, accelerator.count) == ("TPU_V9", 8)


@pytest.mark.parametrize("leaves", ["out", "null"])
@pytest.mark.parametrize(
    "name", ["projectId", "flowId", "execution", "createDate", "updateDate", "features", "logIds"]
)
def test_a_run_that_leaves_out_what_is_not_essential_is_read(name: str, leaves: str) -> None:
    wire = {**WIRE, name: None}
    if leaves == "out":
        del wire[name]
    it = decode_run(msgspec.json.encode(wire))
    assert (it.id, it.status.overview) == (WIRE["id"], "Creating")


@pytest.mark.parametrize("status", [{}, {"updateDate": None, "message": None}])
def test_a_status_without_a_date_or_a_message_is_read(status: dict[str, Any]) -> None:
    it = run(status={"overview": "Paused", **status}).status
    assert (it.overview, it.message, it.update_date) == ("Paused", "", 0)


@pytest.mark.parametrize("name", ["accelerator", "checkpoint", "limit"])
def test_an_execution_may_leave_out_anything(name: str) -> None:
    assert run(execution={name: {}}).execution[name] is not None


@pytest.mark.parametrize("decode", [decode_workspace, decode_project, decode_workflow])
def test_of_everything_else_the_id_is_enough(decode: Any) -> None:
    assert decode(b'{"id":"it","more":1,"createDate":null}').id == "it"
    with pytest.raises(msgspec.ValidationError, match="id"):
        decode(b'{"createDate":1}')


def test_a_user_and_an_insight_may_leave_out_anything_but_their_ids() -> None:
    assert decode_users(b'[{"id":"user_1"}]')[0].access_type == ""
    [insight] = decode_insights(b'[{"runId":"run_1","artifact":null,"checkpoint":{}}]')
    assert (insight.artifact.step, insight.checkpoint.strategy) == (None, "")


def test_a_status_without_its_overview_is_refused_by_name() -> None:
    with pytest.raises(msgspec.ValidationError, match=r"overview.*status"):
        run(status={"message": "", "updateDate": 1})


@pytest.mark.parametrize("missing", ["id", "status"])
def test_a_run_without_what_every_run_has_is_refused_by_name(missing: str) -> None:
    wire = {key: value for key, value in WIRE.items() if key != missing}
    with pytest.raises(msgspec.ValidationError, match=missing):
        decode_run(msgspec.json.encode(wire))


def test_a_run_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        run().id = "other"  # type: ignore[misc]  # what the test is about


def test_a_list_of_runs_is_a_list() -> None:
    assert [it.id for it in decode_runs(msgspec.json.encode([WIRE, WIRE]))] == [WIRE["id"]] * 2


def test_a_decoder_is_for_any_type() -> None:
    assert Decoder(dict[str, int])('{"a": 1.0}') == {"a": 1}


def test_a_workspace() -> None:
    wire = b'{"id":"ws_1","name":"W","owner":"user_1","tier":"Developer","createDate":1701927649302}'
    assert decode_workspace(wire).created_at.year == 2023


def test_a_project_with_an_unknown_type_and_no_statistic() -> None:
    wire = b'{"id":"proj_1","name":"P","workspaceId":"ws_1","type":"Holography","createDate":1,"localization":"MULTI"}'
    project = decode_project(wire)
    assert (project.type, project.tags, project.statistic, project.created_at.year) == (
        "Holography",
        [],
        None,
        1970,
    )


def test_a_projects_statistic() -> None:
    wire = {
        "id": "proj_1", "name": "P", "workspaceId": "ws_1", "type": "Keypoint", "createDate": 1,
        "statistic": {"tagsCount": [{"name": "cat", "count": 3}], "totalAssets": 28},
    }  # fmt: skip
    statistic = decode_project(msgspec.json.encode(wire)).statistic
    assert statistic is not None
    assert statistic.tags_count is not None
    assert (statistic.tags_count[0].count, statistic.total_assets, statistic.annotated_assets) == (3, 28, None)


def test_a_workflow_and_its_deletion() -> None:
    wire = b'{"id":"flow_1","projectId":"proj_1","title":"T","createDate":1,"updateDate":2000}'
    flow = decode_workflow(wire)
    assert (flow.title, flow.created_at.year, flow.updated_at.second) == ("T", 1970, 2)
    assert decode_deletion(b'{"deleted":true,"id":"flow_1"}').id == "flow_1"


def test_a_user() -> None:
    [user] = decode_users(b'[{"id":"user_1","accessType":"Owner","email":"a@b.c","nickname":"a","picture":null}]')
    assert (user.access_type, user.picture) == ("Owner", "")


def test_an_insight() -> None:
    wire = {
        "flowTitle": "T", "runId": "run_1", "createDate": 1705912133684,
        "dataset": {"dataType": "Rectangle", "numClasses": 1, "settings": {"splitRatio": 0.3}},
        "model": {"name": "m", "learningRate": 0.04},
        "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250},
        "artifact": {"id": "artifact_1", "isTraining": False, "step": 5000, "metric": {"totalLoss": 0.3}},
    }  # fmt: skip
    [insight] = decode_insights(msgspec.json.encode([wire]))
    assert insight.artifact.metric.total_loss == 0.3
    assert insight.dataset.settings is not None
    assert insight.dataset.settings.split_ratio == 0.3
    assert (insight.model.learning_rate, insight.model.momentum, insight.created_at.year) == (0.04, None, 2024)


def test_a_log_holds_its_entries_as_mappings() -> None:
    pl = {"step": 0, "log": "Step 0, totalLoss: 6.4055E+01.", "totalLoss": 64.055, "boxLoss": 5.3928}
    entry = {"ev": "trainingCheckpoint", "t": 1700200466147, "pl": pl}
    log = decode_run_logs(msgspec.json.encode({"id": "runlog_1", "logs": [entry], "more": 1}))
    assert (log.id, log.logs, log["logs"]) == ("runlog_1", [entry], [entry])


def test_an_entry_of_a_log_may_lack_anything() -> None:
    assert decode_run_logs(b'{"id":"x","logs":[{"ev":"a"},{}]}').logs == [{"ev": "a"}, {}]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_log_with_a_bare_number_that_json_does_not_know_is_read(value: str) -> None:
    log = decode_run_logs(f'{{"id":"x","logs":[{{"pl":{{"a":{value}}}}},{{}}]}}'.encode())
    assert str(log.logs[0]["pl"]["a"]) == str(float(value))


def test_a_log_with_a_lone_surrogate_is_read() -> None:
    assert decode_run_logs(rb'{"id":"x","logs":[{"pl":"\ud800"}]}').logs[0]["pl"] == "\ud800"


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"id":"x"}', b'{"id":"x","logs":[1]}', b'{"id":"x","logs":[{}']
)
def test_what_is_no_log_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_run_logs(body)
