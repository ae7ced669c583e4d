"""Which requests: by the name of the operation, or by method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from typing import TYPE_CHECKING, Final

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from aiohttp import web

ANY: Final = "any"
_PROJECT: Final = "/projects/{project_id}"
_FLOW: Final = f"{_PROJECT}/workflows/{{flow_id}}"
_RUN: Final = f"{_PROJECT}/runs/{{run_id}}"
OPERATIONS: Final = {
    "list": ("GET", f"{_PROJECT}/runs"),
    "get": ("GET", _RUN),
    "start": ("POST", f"{_PROJECT}/runs"),
    "kill": ("PATCH", _RUN),
    "get_logs": ("GET", f"{_PROJECT}/runs/logs/{{log_id}}"),
    "get_confusion_matrix": ("GET", f"{_RUN}/confusionMatrix"),
    "workflows.list": ("GET", f"{_PROJECT}/workflows"),
    "workflows.get": ("GET", _FLOW),
    "workflows.update": ("PATCH", _FLOW),
    "workflows.delete": ("DELETE", _FLOW),
    "project.get_info": ("GET", _PROJECT),
    "project.update": ("PATCH", _PROJECT),
    "project.list_insights": ("GET", f"{_PROJECT}/insights"),
    "project.list_users": ("GET", f"{_PROJECT}/users"),
    "client.get_info": ("GET", "/workspace"),
    "client.list_projects": ("GET", "/workspace/projects"),
}
"""The operations by the names of the reference; those without a dot are of runs."""

_PATTERN: Final = re.compile(r"(?:([A-Z]+) )?(/.*)")


@dataclass(frozen=True, slots=True)
class Route:
    """Take requests of a method whose path matches."""

    method: str | None
    path: re.Pattern[str]

    def takes(self, request: web.Request) -> bool:
        """Tell whether a request is meant."""
        return self.method in {None, request.method} and self.path.fullmatch(request.path) is not None


def read_route(text: str) -> Route:
    """Read `any`, the name of an operation, or `METHOD /path` with `*` for any characters.

    Raises `InvalidArgumentError` for anything else.
    """
    if text == ANY:
        return Route(None, re.compile(r".*", re.DOTALL))
    if text in OPERATIONS:
        method, path = OPERATIONS[text]
        # a log's path has the shape of a run's with a matrix: no ID is "logs"
        return Route(method, re.compile(re.sub(r"\{\w+\}", "(?!logs/)[^/]+", path)))
    if pattern := _PATTERN.fullmatch(text):
        return Route(pattern[1], re.compile(translate(pattern[2])))
    raise InvalidArgumentError(
        f"on={text!r} names no requests: give 'any', a path such as 'GET /projects/*/runs', "
        f"or an operation of {', '.join(OPERATIONS)}"
    )
