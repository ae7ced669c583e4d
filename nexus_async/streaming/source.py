"""What the streaming engine asks for: it runs over anything that answers this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nexus_async.logs import Reading
    from nexus_async.models.run import Run


class Source(Protocol):
    """Answer for the runs of one project. A failure is a `RequestError`; nothing is tried twice."""

    @property
    def project_id(self) -> str:
        """Return the project's ID."""

    async def get_run(self, run_id: str) -> Run:
        """Return a run."""

    async def list_runs(self) -> list[Run]:
        """Return every run."""

    async def read_log(self, log_id: str, reading: Reading) -> None:
        """Hand the answer that is a whole log to `reading`, as it arrives."""
