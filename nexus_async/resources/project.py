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
        self._shared = shared
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

    def with_options(
        self,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        attempts: int | None = None,
        retry_after_cap: float | None = None,
        max_response_bytes: int | None = None,
    ) -> Project:
        """Return a view of this project whose calls are bounded otherwise, as `Client.with_options` does.

        ```python
        runs = await project.with_options(timeout=5, attempts=1).runs.list()
        ```
        """
        options = self._requester.options.changed(
            timeout=timeout,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            attempts=attempts,
            retry_after_cap=retry_after_cap,
            max_response_bytes=max_response_bytes,
        )
        return Project(self._requester.with_options(options), self.id, info=self.info, shared=self._shared)

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
