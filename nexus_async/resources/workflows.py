"""The workflows of a project."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - part of the public signatures
from typing import TYPE_CHECKING

from nexus_async.http.protocol import delete, get, patch, path_of
from nexus_async.models.setup import WorkflowUpdate
from nexus_async.models.workflow import (
    DeleteResponse,
    Workflow,
    decode_deletion,
    decode_workflow,
    decode_workflows,
)

if TYPE_CHECKING:
    from nexus_async.http.requester import Requester


class Workflows:
    """List, get, rename and delete workflows. Reached as `project.workflows`."""

    def __init__(self, requester: Requester, project_id: str) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id, "workflows")

    async def list(self) -> list[Workflow]:
        """Return every workflow of the project."""
        return await self._requester.call(get(self._path), decode_workflows)

    async def get(self, flow_id: str) -> Workflow:
        """Return one workflow."""
        return await self._requester.call(get(self._path + path_of(flow_id)), decode_workflow)

    async def update(self, flow_id: str, flow: WorkflowUpdate | Mapping[str, str]) -> Workflow:
        """Rename a workflow: `{"title": ...}`. Raises `InvalidArgumentError` for anything else."""
        body = WorkflowUpdate.parse(flow)
        return await self._requester.call(patch(self._path + path_of(flow_id), body), decode_workflow)

    async def delete(self, flow_id: str) -> DeleteResponse:
        """Delete a workflow.

        A `NotFoundError` after several attempts may mean that one whose answer was lost did delete it.
        """
        return await self._requester.call(delete(self._path + path_of(flow_id)), decode_deletion)
