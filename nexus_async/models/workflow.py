"""A workflow."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of properties' owners

from nexus_async.models.base import Decoder, Model, moment


class Workflow(Model, frozen=True, kw_only=True):
    """Tell of a workflow: data, augmentation and model, ready to be trained."""

    id: str
    project_id: str = ""
    title: str = ""
    create_date: int = 0
    """Milliseconds since the Unix epoch."""
    update_date: int = 0
    """Milliseconds since the Unix epoch."""

    @property
    def created_at(self) -> datetime:
        """Return when the workflow was created, in UTC."""
        return moment(self.create_date)

    @property
    def updated_at(self) -> datetime:
        """Return when the workflow was last updated, in UTC."""
        return moment(self.update_date)


class DeleteResponse(Model, frozen=True, kw_only=True):
    """Tell what became of a deletion."""

    deleted: bool
    id: str | None = None
    """What was deleted."""


decode_workflow = Decoder(Workflow)
decode_workflows = Decoder(list[Workflow])
decode_deletion = Decoder(DeleteResponse)
