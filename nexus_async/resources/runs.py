"""The training runs of a project."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - part of the public signatures
from typing import TYPE_CHECKING, Any

from nexus_async.config import DRAIN_TIMEOUT, MAX_OUTAGE, SETTLE, positive
from nexus_async.errors import InvalidArgumentError
from nexus_async.http.protocol import get, patch, path_of, post
from nexus_async.models.confusion_matrix import RunConfusionMatrix, decode_matrix
from nexus_async.models.log import RunLogs, decode_run_logs
from nexus_async.models.run import Run, decode_run, decode_runs
from nexus_async.models.setup import RunSetup
from nexus_async.pacing import Adaptive, Pacing
from nexus_async.streaming import LogStream, Shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.http.requester import Requester


class Runs:
    """List, get, start, kill and follow runs. Reached as `project.runs`."""

    def __init__(self, requester: Requester, project_id: str, *, shared: Shared) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id, "runs")
        self._source = RunSource(requester, project_id)
        self._shared = shared

    async def list(self) -> list[Run]:
        """Return every run of the project, whatever its status."""
        return await self._requester.call(get(self._path), decode_runs)

    async def get(self, run_id: str) -> Run:
        """Return one run."""
        return await self._requester.call(get(self._path + path_of(run_id)), decode_run)

    async def kill(self, run_id: str) -> Run:
        """Kill a run, for good: it cannot be resumed, and its progress is lost."""
        return await self._requester.call(
            patch(self._path + path_of(run_id), {"status": "Cancelled"}), decode_run
        )

    async def start(self, flow_id: str, setup: RunSetup | Mapping[str, Any]) -> Run:
        """Start a run of a workflow, and return it.

        Raises `InvalidArgumentError` before anything is sent where the setup is not sound, and
        `OutcomeUnknownError` where the request may have arrived and no answer came: a start is paid for, and
        is never sent twice after it may have been received.
        """
        if not isinstance(flow_id, str) or not flow_id.strip():
            raise InvalidArgumentError(f"{flow_id!r} is no workflow's ID, such as 'flow_63d0f2d5fb1f...'")
        body = RunSetup.parse(setup).body(flow_id)
        return await self._requester.call(post(self._path, body), decode_run)

    async def get_logs(self, log_id: str) -> RunLogs:
        """Return the whole log so far. `run.log_ids` has the IDs."""
        return await self._requester.call(get(self._path + path_of("logs", log_id)), decode_run_logs)

    async def get_confusion_matrix(self, run_id: str) -> RunConfusionMatrix:
        """Return the confusion matrices of a run, one for each evaluation."""
        return await self._requester.call(get(self._path + path_of(run_id, "confusionMatrix")), decode_matrix)

    def stream_logs(
        self,
        run_id: str,
        *,
        cursor: str | None = None,
        pacing: Pacing | None = None,
        settle: float = SETTLE,
        drain_timeout: float = DRAIN_TIMEOUT,
        max_outage: float = MAX_OUTAGE,
    ) -> LogStream:
        """Follow a run to its end: each checkpoint once, those already there first.

        `cursor` resumes after the event that carried it. `pacing` says when to poll: by default when the delay
        to expect of a checkpoint not yet seen is worth a request. After the run's end its logs are read until
        two snapshots `settle` seconds apart are equal, at most for `drain_timeout` seconds. Failures that may
        pass are ridden out for `max_outage` seconds, then `OutageError` is raised. Nothing here ever kills the
        run.
        """
        return LogStream(
            self._source,
            run_id,
            cursor=cursor,
            pacing=Adaptive() if pacing is None else pacing,
            settle=positive("settle", settle),
            drain_timeout=positive("drain_timeout", drain_timeout),
            max_outage=positive("max_outage", max_outage),
            shared=self._shared,
        )


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

    async def read_log(self, log_id: str, feed: Callable[[bytes], None]) -> None:
        """Hand the body of a whole log to `feed`, chunk by chunk as it arrives."""
        await self._requester.read_once(get(self._path + path_of("logs", log_id)), feed)
