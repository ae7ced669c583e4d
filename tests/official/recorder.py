"""A server that keeps every request, and answers each with the least that the API promises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import msgspec
from aiohttp import web

from .callers import Account

if TYPE_CHECKING:
    from types import TracebackType

WORKSPACE = {"id": "ws_1", "name": "ours", "owner": "user_1", "tier": "Developer", "createDate": 1}
PROJECT = {
    "id": "proj_1",
    "name": "cells",
    "workspaceId": "ws_1",
    "type": "ObjectDetection",
    "createDate": 1,
    "localization": "MULTI",
    "tags": [],
    "groups": [],
}
WORKFLOW = {"id": "flow_1", "projectId": "proj_1", "title": "YOLO", "createDate": 1, "updateDate": 2}
RUN = {
    "id": "run_1",
    "projectId": "proj_1",
    "flowId": "flow_1",
    "execution": {},
    "status": {"overview": "Creating", "message": "Training starting.", "updateDate": 3},
    "createDate": 1,
    "updateDate": 2,
}
ANSWERS: dict[str, object] = {
    "GET /workspace": WORKSPACE,
    "GET /workspace/projects": [PROJECT],
    "GET /projects/proj_1": PROJECT,
    "PATCH /projects/proj_1": PROJECT,
    "GET /projects/proj_1/insights": [],
    "GET /projects/proj_1/users": [],
    "GET /projects/proj_1/workflows": [WORKFLOW],
    "GET /projects/proj_1/workflows/flow_1": WORKFLOW,
    "PATCH /projects/proj_1/workflows/flow_1": WORKFLOW,
    "DELETE /projects/proj_1/workflows/flow_1": {"deleted": True},
    "GET /projects/proj_1/runs": [RUN],
    "POST /projects/proj_1/runs": RUN,
    "GET /projects/proj_1/runs/run_1": RUN,
    "PATCH /projects/proj_1/runs/run_1": RUN,
    "GET /projects/proj_1/runs/logs/runlog_1": {"id": "runlog_1", "logs": []},
    "GET /projects/proj_1/runs/run_1/confusionMatrix": {"data": "{}"},
}


class RecordedRequest(NamedTuple):
    line: str
    """The method, and the path with its query, as they were sent."""
    headers: dict[str, str]
    body: Any
    """Parsed, or None where there is none."""


class Recorder:
    def __init__(self) -> None:
        self._requests: list[RecordedRequest] = []
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        self.account = Account("", "key-1", "proj_1")

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.account = self.account._replace(endpoint=f"http://{host}:{port}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    def take(self) -> list[RecordedRequest]:
        """Give the requests since the last time."""
        taken, self._requests = self._requests, []
        return taken

    async def _answer(self, request: web.Request) -> web.Response:
        line = f"{request.method} {request.raw_path}"
        body = await request.read()
        assert len(request.headers) == len(set(request.headers)), "a header stands twice"
        headers = {name.title(): value for name, value in request.headers.items()}
        self._requests.append(RecordedRequest(line, headers, msgspec.json.decode(body) if body else None))
        if line not in ANSWERS:
            return web.json_response({"code": "ResourceNotFoundError", "message": line}, status=404)
        return web.json_response(ANSWERS[line])
