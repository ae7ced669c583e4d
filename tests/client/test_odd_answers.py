"""Odd answers to every kind of operation: read where they can be, invalid and of this package where not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import calling, says

from nexus_async import Client, InvalidAnswerError, Project

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    Operation = Callable[[Client, Project], Awaitable[Any]]

pytestmark = pytest.mark.virtual_time

WORKSPACE = {"id": "w", "name": "w", "owner": "u", "tier": "t", "createDate": 1}
PROJECT = {"id": "proj_1", "name": "p", "workspaceId": "w", "type": "Keypoint", "createDate": 1}
WORKFLOW = {"id": "flow_1", "projectId": "proj_1", "title": "t", "createDate": 1, "updateDate": 1}
HTML = b"<!doctype html>\n<html><body>Log in</body></html>"

OPERATIONS: dict[str, Operation] = {
    "get_info": lambda client, _: client.get_info(),
    "list_projects": lambda client, _: client.list_projects(),
    "project.get_info": lambda _, project: project.get_info(),
    "project.update": lambda _, project: project.update({"name": "n"}),
    "list_insights": lambda _, project: project.list_insights(),
    "list_users": lambda _, project: project.list_users(),
    "workflows.list": lambda _, project: project.workflows.list(),
    "workflows.get": lambda _, project: project.workflows.get("f"),
    "workflows.update": lambda _, project: project.workflows.update("f", {"title": "t"}),
    "workflows.delete": lambda _, project: project.workflows.delete("f"),
    "runs.list": lambda _, project: project.runs.list(),
    "runs.get": lambda _, project: project.runs.get("r"),
    "runs.kill": lambda _, project: project.runs.kill("r"),
    "runs.get_logs": lambda _, project: project.runs.get_logs("l"),
    "runs.get_confusion_matrix": lambda _, project: project.runs.get_confusion_matrix("r"),
}


async def answer_to(name: str, body: object) -> Any:
    async with calling(says(200, body)) as (api, project), api.client() as client:
        return await OPERATIONS[name](client, project)


@pytest.mark.parametrize("body", [b"", HTML, b"7", b'{"error": null}'], ids=["empty", "html", "number", "other"])
@pytest.mark.parametrize("name", OPERATIONS)
async def test_an_answer_of_another_shape_is_invalid(name: str, body: bytes) -> None:
    with pytest.raises(InvalidAnswerError, match="not what the API promises") as caught:
        await answer_to(name, body)
    assert caught.value.body == body


async def test_dates_written_as_floats_are_integers() -> None:
    workspace = await answer_to("get_info", {**WORKSPACE, "createDate": 5.0})
    assert (workspace.create_date, type(workspace.create_date)) == (5, int)


async def test_a_fraction_where_an_integer_is_meant_is_invalid() -> None:
    with pytest.raises(InvalidAnswerError, match="createDate"):
        await answer_to("get_info", {**WORKSPACE, "createDate": 5.5})


async def test_nulls_of_a_project_are_its_defaults() -> None:
    nulls = dict.fromkeys(["localization", "tags", "groups", "statistic"])
    info = await answer_to("project.get_info", {**PROJECT, **nulls})
    assert (info.localization, info.tags, info.groups, info.statistic) == ("", [], [], None)


async def test_nulls_of_a_listed_project_are_its_defaults() -> None:
    [project] = await answer_to("list_projects", [{**PROJECT, "tags": None}])
    assert project.info.tags == []


async def test_a_null_where_there_is_no_default_is_invalid() -> None:
    with pytest.raises(InvalidAnswerError):
        await answer_to("workflows.get", {**WORKFLOW, "id": None})


async def test_nulls_of_a_user_are_its_defaults() -> None:
    [user] = await answer_to("list_users", [{"id": "u", "accessType": "a", "email": None, "picture": None}])
    assert (user.email, user.picture) == ("", "")


async def test_a_deletion_without_an_id_is_one() -> None:
    answer = await answer_to("workflows.delete", {"deleted": True})
    assert (answer.deleted, answer.id) == (True, None)


async def test_an_empty_list_is_a_list() -> None:
    for name in ("list_projects", "list_insights", "list_users", "workflows.list", "runs.list"):
        assert await answer_to(name, []) == []


async def test_an_invalid_answer_leaves_what_was_known_of_a_project() -> None:
    async with calling(says(200, PROJECT), says(200, HTML)) as (_, project):
        known = await project.get_info()
        with pytest.raises(InvalidAnswerError):
            await project.get_info()
        assert project.info is known


@pytest.fixture
async def described() -> AsyncIterator[Project]:
    kind = {"Content-Type": "text/html; charset=latin-1"}

    async def mislabelled(request: Any) -> Any:
        answer = await says(200, PROJECT)(request)
        answer.headers.update(kind)
        return answer

    async with calling(mislabelled) as (_, project):
        yield project


async def test_json_under_another_content_type_is_read(described: Project) -> None:
    assert (await described.get_info()).name == "p"
