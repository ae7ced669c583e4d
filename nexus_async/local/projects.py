"""Projects and workflows: what a user defines, and what the server makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.local.identifiers import Identifiers


@dataclass(kw_only=True, slots=True)
class LocalWorkflow:
    """Define a workflow: the model that its runs train.

    `model` is a name that the trainer understands, `learning_rate` its step size. The IDs and dates
    (milliseconds since the Unix epoch) are the server's, the classes those of its project.

    Raises `InvalidArgumentError` for a learning rate that is not above 0.
    """

    title: str
    model: str = "YOLOv8 Nano"
    learning_rate: float = 0.01
    id: str = field(default="", init=False)
    project_id: str = field(default="", init=False)
    classes: tuple[str, ...] = field(default=(), init=False)
    create_date: int = field(default=0, init=False)
    update_date: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise InvalidArgumentError(f"learning_rate={self.learning_rate} must be above 0")

    def wire(self) -> dict[str, object]:
        """Give the workflow as the wire has it."""
        return {
            "id": self.id,
            "projectId": self.project_id,
            "title": self.title,
            "createDate": self.create_date,
            "updateDate": self.update_date,
        }


@dataclass(kw_only=True, slots=True)
class LocalProject:
    """Define a project and its workflows.

    `type` is the kind of task, `tags` are the classes, `assets` the number of images. The IDs and the date
    (milliseconds since the Unix epoch) are the server's.
    """

    name: str
    type: str = "ObjectDetection"
    workflows: Sequence[LocalWorkflow] = ()
    tags: Sequence[str] = ("RBC", "WBC", "Platelets")
    groups: Sequence[str] = ("main",)
    assets: int = 364
    id: str = field(default="", init=False)
    workspace_id: str = field(default="", init=False)
    create_date: int = field(default=0, init=False)

    def wire(self) -> dict[str, object]:
        """Give the project as the wire has it."""
        return {
            "id": self.id,
            "name": self.name,
            "workspaceId": self.workspace_id,
            "type": self.type,
            "createDate": self.create_date,
            "localization": "MULTI",
            "tags": list(self.tags),
            "groups": list(self.groups),
            "statistic": self._statistic(),
        }

    def _statistic(self) -> dict[str, object]:
        share = self.assets // max(1, len(self.tags))
        return {
            "tagsCount": [{"name": tag, "count": share} for tag in self.tags],
            "totalAssets": self.assets,
            "annotatedAssets": self.assets,
            "totalAnnotations": share * len(self.tags),
        }


def adopt(project: LocalProject, workspace_id: str, identifiers: Identifiers) -> LocalProject:
    """Copy a user's project with IDs of its own, so that one definition serves several servers."""
    own = replace(project)
    own.id = identifiers.project()
    own.workspace_id = workspace_id
    own.workflows = [_adopt_workflow(workflow, own, identifiers) for workflow in project.workflows]
    return own


def _adopt_workflow(workflow: LocalWorkflow, project: LocalProject, identifiers: Identifiers) -> LocalWorkflow:
    own = replace(workflow)
    own.id = identifiers.workflow()
    own.project_id = project.id
    own.classes = tuple(project.tags)
    return own
