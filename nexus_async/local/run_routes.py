"""The routes of runs, their logs and their confusion matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from aiohttp import web

from nexus_async.local.answers import WHOLE, RefusalError, answer_encoded
from nexus_async.local.errors import InvalidSetupError, TooManyRunsError, UnknownIdError
from nexus_async.local.identifiers import run_id_of
from nexus_async.local.routes import decode_body, requested_project
from nexus_async.local.setup import StartBody, read_start_body

if TYPE_CHECKING:
    from nexus_async.local.log import RunLog
    from nexus_async.local.projects import LocalProject
    from nexus_async.local.run import LocalRun
    from nexus_async.local.state import NexusState

_SLICE = 256 * 1024
_RETRY_AFTER = 10


class _Kill(msgspec.Struct):
    status: Literal["Cancelled"]


class RunRoutes:
    """Answer what concerns runs."""

    def __init__(self, state: NexusState) -> None:
        self._state = state

    def attach(self, app: web.Application) -> None:
        """Add the routes to `app`."""
        runs = "/projects/{project_id}/runs"
        route = app.router.add_route
        route("GET", runs, self._list)
        route("POST", runs, self._start)
        route("GET", f"{runs}/logs/{{log_id}}", self._log)
        route("GET", f"{runs}/{{run_id}}", self._get)
        route("PATCH", f"{runs}/{{run_id}}", self._kill)
        route("GET", f"{runs}/{{run_id}}/confusionMatrix", self._matrix)

    async def _list(self, request: web.Request) -> web.Response:
        project = requested_project(self._state, request)
        return answer_encoded(b"[%b]" % b",".join(run.encoded() for run in self._state.registry.of(project.id)))

    async def _start(self, request: web.Request) -> web.Response:
        project = requested_project(self._state, request)
        try:
            start = read_start_body(await request.read())
        except InvalidSetupError as error:
            raise RefusalError(400, str(error)) from error
        return answer_encoded(self._started(project, start).encoded())

    def _started(self, project: LocalProject, start: StartBody) -> LocalRun:
        try:
            return self._state.start_run(project, start.flow_id, start.execution, start.features)
        except UnknownIdError as error:
            raise RefusalError(404, str(error)) from error
        except TooManyRunsError as error:
            raise RefusalError(429, str(error), retry_after=_RETRY_AFTER) from error

    async def _get(self, request: web.Request) -> web.Response:
        return answer_encoded(self._requested_run(request).encoded())

    async def _kill(self, request: web.Request) -> web.Response:
        run = self._requested_run(request)
        decode_body(await request.read(), _Kill)
        if not run.is_over:
            run.cancel()
        return answer_encoded(run.encoded())

    async def _matrix(self, request: web.Request) -> web.Response:
        run = self._requested_run(request)
        if not run.matrices:
            raise RefusalError(404, f"Run {run.id} has not been evaluated yet.")
        return answer_encoded(run.matrices.body())

    async def _log(self, request: web.Request) -> web.StreamResponse:
        log = self._requested_log(request)
        if log.size <= _SLICE or request.get(WHOLE):
            return answer_encoded(log.body())
        return await _stream(request, log)

    def _requested_log(self, request: web.Request) -> RunLog:
        project = requested_project(self._state, request)
        wanted = request.match_info["log_id"]
        run = self._state.registry.find_in(project.id, run_id_of(wanted) or "")
        log = run.find_log(wanted) if run else None
        if log is None:
            raise RefusalError(404, f"Log {wanted} does not exist.")
        return log

    def _requested_run(self, request: web.Request) -> LocalRun:
        project = requested_project(self._state, request)
        run_id = request.match_info["run_id"]
        run = self._state.registry.find_in(project.id, run_id)
        if run is None:
            raise RefusalError(404, f"Run {run_id} does not exist.")
        return run


async def _stream(request: web.Request, log: RunLog) -> web.StreamResponse:
    """Send a large log in slices, so that it is neither copied whole nor holds up the loop."""
    answer = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    answer.content_length = log.size
    slices = log.slices(_SLICE)
    await answer.prepare(request)
    for piece in slices:
        await answer.write(piece)
    await answer.write_eof()
    return answer
