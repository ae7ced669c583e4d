"""The routes of the workspace, its projects and their workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

from nexus_async.local.answers import RefusalError, answer_json
from nexus_async.local.errors import UnknownIdError
from nexus_async.local.insights import insight_wire
from nexus_async.local.workspace import delete_workflow, find_workflow

if TYPE_CHECKING:
    from aiohttp import web

    from nexus_async.local.projects import LocalProject, LocalWorkflow
    from nexus_async.local.state import NexusState

T = TypeVar("T")
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class _NewName(msgspec.Struct):
    name: _Text


class _NewTitle(msgspec.Struct):
    title: _Text


class ProjectRoutes:
    """Answer what concerns the workspace, its projects and their workflows."""

    def __init__(self, state: NexusState) -> None:
        self._state = state

    def attach(self, app: web.Application) -> None:
        """Add the routes to `app`."""
        project, workflow = "/projects/{project_id}", "/projects/{project_id}/workflows/{flow_id}"
        route = app.router.add_route
        route("GET", "/workspace", self._workspace)
        route("GET", "/workspace/projects", self._projects)
        route("GET", project, self._project)
        route("PATCH", project, self._rename)
        route("GET", f"{project}/insights", self._insights)
        route("GET", f"{project}/users", self._users)
        route("GET", f"{project}/workflows", self._workflows)
        route("GET", workflow, self._workflow)
        route("PATCH", workflow, self._retitle)
        route("DELETE", workflow, self._delete)

    async def _workspace(self, _: web.Request) -> web.Response:
        return answer_json(self._state.workspace.wire())

    async def _projects(self, _: web.Request) -> web.Response:
        return answer_json([project.wire() for project in self._state.workspace.projects])

    async def _project(self, request: web.Request) -> web.Response:
        return answer_json(requested_project(self._state, request).wire())

    async def _rename(self, request: web.Request) -> web.Response:
        project = requested_project(self._state, request)
        project.name = decode_body(await request.read(), _NewName).name
        return answer_json(project.wire())

    async def _insights(self, request: web.Request) -> web.Response:
        project = requested_project(self._state, request)
        runs = self._state.registry.of(project.id)
        return answer_json([insight_wire(project, run) for run in runs if run.overview == "Finished"])

    async def _users(self, request: web.Request) -> web.Response:
        requested_project(self._state, request)
        return answer_json(self._state.workspace.users_wire())

    async def _workflows(self, request: web.Request) -> web.Response:
        project = requested_project(self._state, request)
        return answer_json([workflow.wire() for workflow in project.workflows])

    async def _workflow(self, request: web.Request) -> web.Response:
        return answer_json(self._requested_workflow(request).wire())

    async def _retitle(self, request: web.Request) -> web.Response:
        workflow = self._requested_workflow(request)
        workflow.title = decode_body(await request.read(), _NewTitle).title
        workflow.update_date = self._state.clock.now()
        return answer_json(workflow.wire())

    async def _delete(self, request: web.Request) -> web.Response:
        workflow = self._requested_workflow(request)
        delete_workflow(self._state.workspace.project(workflow.project_id), workflow.id)
        return answer_json({"deleted": True, "id": workflow.id})

    def _requested_workflow(self, request: web.Request) -> LocalWorkflow:
        project = requested_project(self._state, request)
        try:
            return find_workflow(project, request.match_info["flow_id"])
        except UnknownIdError as error:
            raise RefusalError(404, str(error)) from error


def requested_project(state: NexusState, request: web.Request) -> LocalProject:
    """Find the project that a request is about, or refuse as Nexus does."""
    try:
        return state.workspace.project(request.match_info["project_id"])
    except UnknownIdError as error:
        raise RefusalError(403, "No Access Rights to Requested Resources") from error


def decode_body(body: bytes, shape: type[T]) -> T:
    """Decode a request's body, or refuse it with what is wrong."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusalError(400, str(error)) from error
