"""A workspace."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of properties' owners

from nexus_async.models.base import Decoder, Model, moment


class Workspace(Model, frozen=True, kw_only=True):
    """Tell of the workspace that a secret key belongs to."""

    id: str
    name: str = ""
    owner: str = ""
    """A user's ID."""
    tier: str = ""
    create_date: int = 0
    """Milliseconds since the Unix epoch."""

    @property
    def created_at(self) -> datetime:
        """Return when the workspace was created, in UTC."""
        return moment(self.create_date)


decode_workspace = Decoder(Workspace)
