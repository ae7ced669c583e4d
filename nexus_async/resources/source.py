"""What the streaming engine asks for, asked over the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.http.protocol import get, path_of
from nexus_async.models.run import Run, decode_run, decode_runs

if TYPE_CHECKING:
    from nexus_async.http.requester import Requester
    from nexus_async.logs import Reading


class RunSource:
    """Give the streaming engine what it asks for, each in a single attempt: the next poll is the retry."""

    def __init__(self, requester: Requester, project_id: str) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id, "runs")
        self.project_id = project_id

    async def get_run(self, run_id: str) -> Run:
        """Return one run."""
        return await self._requester.call_once(get(self._path + path_of(run_id)), decode_run)

    async def list_runs(self) -> list[Run]:
        """Return every run."""
        return await self._requester.call_once(get(self._path), decode_runs)

    async def read_log(self, log_id: str, reading: Reading) -> None:
        """Hand the answer that is a whole log to `reading`, as it arrives."""
        await self._requester.read_once(get(self._path + path_of("logs", log_id)), reading)
