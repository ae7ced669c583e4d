"""What pages ask of Nexus beside the feed: asked once for all of them, and kept for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nexus_async.dashboard.page import encoded
from nexus_async.errors import InvalidArgumentError, InvalidMatrixError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from nexus_async.models.confusion_matrix import RunConfusionMatrix
    from nexus_async.models.run import Run
    from nexus_async.resources.project import Project

FRESH: Final = 5.0
"""Seconds that an answer serves all pages: evaluations and new workflows come by the minute."""
MOST_ANSWERS: Final = 100
"""Answers that are kept."""


class Lookup:
    """Ask the projects of a dashboard for what its events do not tell."""

    def __init__(self, projects: Iterable[Project]) -> None:
        self.projects = {project.id: project for project in projects}
        self._answers: dict[str, tuple[float, asyncio.Task[bytes]]] = {}

    async def titles(self) -> bytes:
        """Return what projects and workflows are called, by their IDs, as JSON."""
        return await self._kept("titles", self._ask_titles)

    async def matrices(self, project_id: str, run_id: str) -> bytes:
        """Return the confusion matrices of a run, oldest first, as JSON.

        Raises `InvalidArgumentError` for a project that is none of these.
        """
        project = self._project(project_id)
        return await self._kept(f"matrices of {run_id}", lambda: _ask_matrices(project, run_id))

    async def kill(self, project_id: str, run_id: str) -> Run:
        """Kill a run. Raises `InvalidArgumentError` for a project that is none of these."""
        return await self._project(project_id).runs.kill(run_id)

    def _project(self, project_id: str) -> Project:
        project = self.projects.get(project_id)
        if project is None:
            known = ", ".join(self.projects) or "none: pass projects= to Dashboard"
            raise InvalidArgumentError(f"project {project_id!r} is none of the dashboard's, which are {known}")
        return project

    async def _kept(self, what: str, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return an answer that is fresh; of those who ask at the same time, one asks for all."""
        now = asyncio.get_running_loop().time()
        asked_at, asking = self._answers.get(what, (-FRESH, None))
        if asking is None or (asking.done() and (now - asked_at >= FRESH or asking.exception() is not None)):
            while len(self._answers) >= MOST_ANSWERS:
                del self._answers[next(iter(self._answers))]
            asking = asyncio.ensure_future(_as_task(ask))
            self._answers[what] = (now, asking)
        return await asyncio.shield(asking)

    async def _ask_titles(self) -> bytes:
        projects, flows = {}, {}
        for project in self.projects.values():
            info = project.info or await project.get_info()
            projects[project.id] = info.name
            flows.update({flow.id: flow.title for flow in await project.workflows.list()})
        return encoded({"projects": projects, "flows": flows})


async def _as_task(ask: Callable[[], Awaitable[bytes]]) -> bytes:
    return await ask()


async def _ask_matrices(project: Project, run_id: str) -> bytes:
    try:
        matrix = await project.runs.get_confusion_matrix(run_id)
    except NotFoundError:
        return b"[]"
    return encoded(matrices_written(matrix))


def matrices_written(matrix: RunConfusionMatrix) -> list[dict[str, Any]]:
    """Return the matrix of each evaluation as a page takes it; none where they make no sense."""
    try:
        evaluations = matrix.evaluations
    except InvalidMatrixError:
        return []
    return [msgspec.to_builtins(each) for each in evaluations.values()]
