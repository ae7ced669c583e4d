"""All that a server knows, without HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.run import LocalRun
from nexus_async.local.workspace import Workspace, find_workflow

if TYPE_CHECKING:
    from nexus_async.local.clock import ServerClock
    from nexus_async.local.identifiers import Identifiers
    from nexus_async.local.projects import LocalProject
    from nexus_async.local.registry import RunRegistry
    from nexus_async.local.setup import Execution, Features
    from nexus_async.local.training import Trainings

_LEAST_LOG_BYTES = 1000


@dataclass(kw_only=True, slots=True)
class NexusState:
    """Hold the workspace and its runs, and start runs.

    Raises `InvalidArgumentError` for a bound of logs below 1 KB.
    """

    clock: ServerClock
    identifiers: Identifiers
    workspace: Workspace
    registry: RunRegistry
    trainings: Trainings
    max_log_bytes: int

    def __post_init__(self) -> None:
        if self.max_log_bytes < _LEAST_LOG_BYTES:
            raise InvalidArgumentError(f"max_log_bytes={self.max_log_bytes} must be at least {_LEAST_LOG_BYTES}")

    def start_run(
        self, project: LocalProject, flow_id: str | None, execution: Execution, features: Features
    ) -> LocalRun:
        """Start a run of a workflow, by default the project's first.

        Raises `UnknownIdError` for a workflow that the project does not have, `TooManyRunsError` where all
        runs are active.
        """
        workflow = find_workflow(project, flow_id)
        self.registry.make_room()
        run = LocalRun(
            self.identifiers.run(),
            workflow,
            execution,
            features,
            now=self.clock.now,
            changed=self._changed,
            max_log_bytes=self.max_log_bytes,
        )
        self.registry.add(run)
        self.trainings.start(run)
        return run

    def _changed(self, run: LocalRun) -> None:
        self.registry.changed(run)
        self.trainings.changed(run)
