"""A project: what it is, who works on it, and the way to its workflows and runs."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - part of the public signatures
from typing import TYPE_CHECKING

from nexus_async.http.protocol import get, patch, path_of
from nexus_async.models.project import (
    ProjectInfo,
    ProjectInsight,
    ProjectUser,
    decode_insights,
    decode_project,
    decode_users,
)
from nexus_async.models.setup import ProjectUpdate
from nexus_async.resources.endpoint import Endpoint
from nexus_async.resources.runs import Runs
from nexus_async.resources.workflows import Workflows

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from nexus_async.http.requester import Requester
    from nexus_async.streaming import Shared


class Project(Endpoint):
    """Reach what belongs to one project. Made by `Client.get_project` and `Client.list_projects`."""

    def __init__(
        self,
        requester: Requester,
        project_id: str,
        *,
        info: ProjectInfo | None = None,
        shared: Shared,
    ) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id)
        self.id = project_id
        """Such as `proj_cd067221d5a6e4007ccbb4afb5966535`."""
        self.info = info
        """What `Client.list_projects`, `get_info` or `update` last brought; None before any of them."""
        self.workflows = Workflows(requester, project_id)
        """Its workflows."""
        self.runs = Runs(requester, project_id, shared=shared)
        """Its training runs."""

    def __repr__(self) -> str:
        return f"Project({self.id!r})"

    async def __aenter__(self) -> Self:
        self._requester.reopen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._requester.aclose()

    async def get_info(self) -> ProjectInfo:
        """Return the project's name, type, tags and counts."""
        self.info = await self._requester.call(get(self._path), decode_project)
        return self.info

    async def update(self, project: ProjectUpdate | Mapping[str, str]) -> ProjectInfo:
        """Rename the project: `{"name": ...}`. Raises `InvalidArgumentError` for anything else."""
        body = ProjectUpdate.parse(project)
        self.info = await self._requester.call(patch(self._path, body), decode_project)
        return self.info

    async def list_insights(self) -> list[ProjectInsight]:
        """Return how each finished run went."""
        return await self._requester.call(get(f"{self._path}/insights"), decode_insights)

    async def list_users(self) -> list[ProjectUser]:
        """Return who works on the project."""
        return await self._requester.call(get(f"{self._path}/users"), decode_users)
