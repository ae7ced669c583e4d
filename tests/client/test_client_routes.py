"""Each operation asks for what the API has, by its method, path and body; aiohttp is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from aioresponses import aioresponses
from scripted_api import ANY, SETUP
from yarl import URL

from nexus_async import Client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from nexus_async import Project

    Operation = tuple[Callable[[Client, Project], Awaitable[object]], str, str, object, object]

API = "https://nexus.example"
MATRIX = {"object": "confusionMatrix", "data": "{}"}
LOG = {"id": "runlog_1", "logs": []}
PROJECT = {"id": "proj_1", "name": "p", "workspaceId": "w", "type": "Keypoint", "createDate": 1}
WORKSPACE = {"id": "w", "name": "w", "owner": "u", "tier": "t", "createDate": 1}
WORKFLOW = {"id": "flow_1", "projectId": "proj_1", "title": "t", "createDate": 1, "updateDate": 1}
START = {
    "flowId": "flow_1",
    "execution": {
        "accelerator": {"name": "GPU_T4", "count": 1},
        "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250},
        "limit": {"metric": "LIM_NONE", "value": 1},
        "debug": False,
    },
    "features": {"advancedEvaluation": None, "preview": True, "matrix": None},
}

OPERATIONS: list[Operation] = [
    (lambda c, _: c.get_info(), "GET", "/workspace", None, WORKSPACE),
    (lambda c, _: c.list_projects(), "GET", "/workspace/projects", None, [PROJECT]),
    (lambda _, p: p.get_info(), "GET", "/projects/proj_1", None, PROJECT),
    (lambda _, p: p.update({"name": "n"}), "PATCH", "/projects/proj_1", {"name": "n"}, PROJECT),
    (lambda _, p: p.list_insights(), "GET", "/projects/proj_1/insights", None, []),
    (lambda _, p: p.list_users(), "GET", "/projects/proj_1/users", None, []),
    (lambda _, p: p.workflows.list(), "GET", "/projects/proj_1/workflows", None, [WORKFLOW]),
    (lambda _, p: p.workflows.get("f"), "GET", "/projects/proj_1/workflows/f", None, WORKFLOW),
    (
        lambda _, p: p.workflows.update("f", {"title": "t"}),
        "PATCH",
        "/projects/proj_1/workflows/f",
        {"title": "t"},
        WORKFLOW,
    ),
    (lambda _, p: p.workflows.delete("f"), "DELETE", "/projects/proj_1/workflows/f", None, {"deleted": True}),
    (lambda _, p: p.runs.list(), "GET", "/projects/proj_1/runs", None, [ANY]),
    (lambda _, p: p.runs.get("r"), "GET", "/projects/proj_1/runs/r", None, ANY),
    (lambda _, p: p.runs.kill("r"), "PATCH", "/projects/proj_1/runs/r", {"status": "Cancelled"}, ANY),
    (lambda _, p: p.runs.start("flow_1", SETUP), "POST", "/projects/proj_1/runs", START, ANY),
    (lambda _, p: p.runs.get_logs("l"), "GET", "/projects/proj_1/runs/logs/l", None, LOG),
    (
        lambda _, p: p.runs.get_confusion_matrix("r"),
        "GET",
        "/projects/proj_1/runs/r/confusionMatrix",
        None,
        MATRIX,
    ),
    (lambda _, p: p.runs.get("a/b c?d"), "GET", "/projects/proj_1/runs/a%2Fb%20c%3Fd", None, ANY),
]


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[aioresponses]:
    """Answer in aiohttp's place; a response of today's aiohttp wants a writer that aioresponses lacks."""

    class Writer:
        output_size = 0

    def response(*args: Any, **options: Any) -> aiohttp.ClientResponse:
        return aiohttp.ClientResponse(*args, **{"stream_writer": Writer(), **options})

    monkeypatch.setattr("aioresponses.core.ClientResponse", response)
    with aioresponses() as mocked:
        yield mocked


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda row: f"{row[1]} {row[2]}")
async def test_an_operation_asks_for_its_path(answers: aioresponses, operation: Operation) -> None:
    call, method, path, body, answer = operation
    url = URL(API + path, encoded=True)
    answers.add(url, method, body=msgspec.json.encode(answer))
    async with Client("k", endpoint=API) as client:
        await call(client, client.get_project("1"))
    [((asked, at), [sent])] = answers.requests.items()
    data = sent.kwargs["data"]
    assert (asked, str(at)) == (method, str(url))
    assert (None if data is None else msgspec.json.decode(data)) == body
