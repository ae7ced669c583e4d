"""How the server refuses."""

from __future__ import annotations

import logging

import pytest
from local_api import ACCELERATOR, CHECKPOINT, serving, virtual


@virtual
async def test_a_missing_or_wrong_key_is_unauthorized() -> None:
    async with serving() as (_, api):
        for key in (None, "wrong", "schlüssel"):
            answer = await api("GET", "/workspace", key=key)
            assert (answer.status, answer.data["code"]) == (401, "UnauthorizedError")


@virtual
async def test_an_unknown_project_is_forbidden() -> None:
    async with serving() as (_, api):
        answer = await api("GET", "runs", project="proj_unknown")
        assert answer.status == 403
        assert answer.data == {"code": "ForbiddenError", "message": "No Access Rights to Requested Resources"}


@virtual
async def test_a_run_of_another_project_is_not_found() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run(project_id=nexus.projects[1].id)
        for path in (f"runs/{run.id}", f"runs/logs/{run.log_ids[0]}", f"runs/{run.id}/confusionMatrix"):
            assert (await api("GET", path)).status == 404


@pytest.mark.parametrize(
    "path", ["workflows/flow_0", "runs/run_0", "runs/logs/runlog_0", "runs/logs/runlog_UmE", "runs/logs/ü"]
)
@virtual
async def test_an_unknown_id_is_not_found(path: str) -> None:
    async with serving() as (_, api):
        answer = await api("GET", path)
        assert (answer.status, answer.data["code"]) == (404, "ResourceNotFoundError")


@virtual
async def test_a_run_without_an_evaluation_has_no_matrix() -> None:
    async with serving() as (nexus, api):
        answer = await api("GET", f"runs/{nexus.start_run().id}/confusionMatrix")
        assert (answer.status, answer.data["code"]) == (404, "ResourceNotFoundError")


@virtual
async def test_an_unknown_route_is_json_too() -> None:
    async with serving() as (_, api):
        answer = await api("GET", "/nothing")
        assert (answer.status, answer.data["code"]) == (404, "ResourceNotFoundError")
        assert "/nothing" in answer.data["message"]


@virtual
async def test_a_wrong_method_names_those_that_are_allowed() -> None:
    async with serving() as (_, api):
        answer = await api("DELETE", "runs")
        assert (answer.status, answer.data["code"]) == (405, "MethodNotAllowedError")
        assert answer.headers["Allow"] == "GET,POST"


@virtual
async def test_a_start_of_an_unknown_workflow_is_not_found() -> None:
    async with serving() as (nexus, api):
        answer = await api.start("flow_unknown")
        assert (answer.status, answer.data["code"]) == (404, "ResourceNotFoundError")
        assert "flow_unknown" in answer.data["message"]
        assert not nexus.runs


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"accelerator": None}, "accelerator"),
        ({"accelerator": ACCELERATOR | {"count": 0}}, "accelerator.count"),
        ({"checkpoint": {}}, "strategy"),
        ({"checkpoint": CHECKPOINT | {"strategy": "STRAT_BEST"}}, "checkpoint.strategy"),
        ({"checkpoint": CHECKPOINT | {"evaluationInterval": 0}}, "evaluationInterval"),
        ({"limit": {"metric": "LIM_EPOCHS", "value": 0}}, "limit.value"),
        ({"limit": {"metric": "LIM_LOSS", "value": 1}}, "limit.metric"),
        ({"debug": "yes"}, "debug"),
    ],
)
@virtual
async def test_a_wrong_setup_is_refused_and_named(part: dict[str, object], named: str) -> None:
    async with serving() as (nexus, api):
        answer = await api.start(nexus.projects[0].workflows[0].id, **part)
        assert (answer.status, answer.data["code"]) == (400, "BadRequest")
        assert named in answer.data["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"\xff"', {"flowId": "flow_0"}])
@virtual
async def test_a_body_that_is_no_setup_is_a_bad_request(body: object) -> None:
    async with serving() as (_, api):
        answer = await api("POST", "runs", body)
        assert (answer.status, answer.data["code"]) == (400, "BadRequest")


@virtual
async def test_names_titles_and_kills_are_checked() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        for path, body in (
            (f"/projects/{nexus.project_id}", {"name": ""}),
            (f"workflows/{run.flow_id}", {}),
            (f"runs/{run.id}", {"status": "Finished"}),
        ):
            assert (await api("PATCH", path, body)).status == 400
        assert not run.is_over


@virtual
async def test_a_body_above_one_megabyte_is_refused() -> None:
    async with serving() as (_, api):
        answer = await api("POST", "runs", b" " * 1_000_001)
        assert (answer.status, answer.data["code"]) == (413, "PayloadTooLargeError")


@virtual
async def test_every_answer_has_a_date_and_a_request_id_of_its_own() -> None:
    async with serving(epoch=1_700_000_000_000) as (_, api):
        answers = [await api("GET", path, key=None) for path in ("/workspace", "/nothing")]
        assert {answer.headers["Date"] for answer in answers} == {"Tue, 14 Nov 2023 22:13:20 GMT"}
        assert len({answer.headers["X-Request-Id"] for answer in answers}) == 2


@virtual
async def test_a_fault_of_the_server_is_json_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        run.message = object()  # type: ignore[assignment]  # what no encoder knows
        with caplog.at_level(logging.ERROR, "nexus_async.local"):
            answer = await api("GET", f"runs/{run.id}")
        assert (answer.status, answer.data["code"]) == (500, "InternalServerError")
        assert f"/runs/{run.id}" in caplog.text
