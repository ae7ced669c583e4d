"""The workspace: its projects, their workflows and its people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.local.defaults import default_projects
from nexus_async.local.errors import InvalidArgumentError, UnknownIdError
from nexus_async.local.projects import LocalProject, LocalWorkflow, adopt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.local.identifiers import Identifiers

_AGE = 30 * 24 * 3600 * 1000
_PEOPLE = (("Ada", "owner"), ("Grace", "collaborator"))


class Workspace:
    """Hold the projects of a server, with IDs of their own.

    Raises `InvalidArgumentError` where `projects` is empty.
    """

    def __init__(self, projects: Sequence[LocalProject] | None, identifiers: Identifiers) -> None:
        given = default_projects() if projects is None else projects
        if not given:
            raise InvalidArgumentError("projects is empty: give at least one, or None for the default ones")
        self.id = identifiers.workspace()
        self.owner = identifiers.user()
        self.create_date = 0
        self.projects = tuple(adopt(project, self.id, identifiers) for project in given)
        self._people = (self.owner, identifiers.user())

    def open(self, now: int) -> None:
        """Date everything: the workspace is thirty days old at `now`, in milliseconds."""
        self.create_date = max(0, now - _AGE)
        for project in self.projects:
            project.create_date = self.create_date
            for workflow in project.workflows:
                workflow.create_date = workflow.update_date = self.create_date

    def project(self, project_id: str) -> LocalProject:
        """Find a project; raises `UnknownIdError`."""
        for project in self.projects:
            if project.id == project_id:
                return project
        raise UnknownIdError(f"no project {project_id} on this server; it has {self._named()}")

    def wire(self) -> dict[str, object]:
        """Give the workspace as the wire has it."""
        return {
            "id": self.id,
            "name": "Local workspace",
            "owner": self.owner,
            "tier": "developer",
            "createDate": self.create_date,
        }

    def users_wire(self) -> list[dict[str, str]]:
        """Give the people of each project as the wire has them."""
        return [
            {
                "id": user_id,
                "accessType": access,
                "email": f"{name.lower()}@example.com",
                "nickname": name,
                "picture": f"https://example.com/{name.lower()}.png",
            }
            for user_id, (name, access) in zip(self._people, _PEOPLE, strict=True)
        ]

    def _named(self) -> str:
        return ", ".join(f"{project.id} ({project.name})" for project in self.projects)


def find_workflow(project: LocalProject, flow_id: str | None) -> LocalWorkflow:
    """Find a workflow, by default the project's first; raises `UnknownIdError`."""
    for workflow in project.workflows:
        if flow_id in (None, workflow.id):
            return workflow
    wanted = "workflow" if flow_id is None else f"workflow {flow_id}"
    raise UnknownIdError(f"no {wanted} in project {project.id} ({project.name})")


def delete_workflow(project: LocalProject, flow_id: str) -> None:
    """Delete a workflow; its runs stay. Raises `UnknownIdError`."""
    gone = find_workflow(project, flow_id)
    project.workflows = [workflow for workflow in project.workflows if workflow is not gone]
