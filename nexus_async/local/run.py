"""One run, as the server knows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import msgspec

from nexus_async.local.entries import ABSENT, Metric, encode_checkpoint, encode_entry
from nexus_async.local.errors import InvalidArgumentError, RunOverError
from nexus_async.local.identifiers import log_id
from nexus_async.local.log import RunLog
from nexus_async.local.matrix import ConfusionMatrices

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nexus_async.local.projects import LocalWorkflow
    from nexus_async.local.setup import Execution, Features

Overview = Literal["Creating", "Running", "Finished", "Errored", "Cancelled"]

_ENDS = frozenset({"Finished", "Errored", "Cancelled"})
_MOST_LOGS = 100


class LocalRun:
    """Hold the state of one run, which its trainer writes and a script may drive.

    A run goes from `Creating` over `Running` to `Finished`, `Errored` or `Cancelled`. Its end, whoever
    brings it about, cancels its training.
    """

    __slots__ = (
        "_changed",
        "_encoded",
        "_logs",
        "_max_log_bytes",
        "_now",
        "_over",
        "create_date",
        "execution",
        "features",
        "flow_id",
        "id",
        "last_metrics",
        "last_step",
        "matrices",
        "message",
        "overview",
        "project_id",
        "steps_seen",
        "update_date",
        "workflow",
    )

    def __init__(
        self,
        run_id: str,
        workflow: LocalWorkflow,
        execution: Execution,
        features: Features,
        *,
        now: Callable[[], int],
        changed: Callable[[LocalRun], None],
        max_log_bytes: int,
    ) -> None:
        self.id = run_id
        """The run's ID."""
        self.project_id = workflow.project_id
        """Its project's ID."""
        self.flow_id = workflow.id
        """Its workflow's ID."""
        self.workflow = workflow
        """Its workflow, which stays here when it is deleted."""
        self.execution = execution
        """How it was asked to be executed."""
        self.features = features
        """What else was asked for."""
        self.overview: str = "Creating"
        """Its state: one of those that `Overview` names."""
        self.message = "Training starting."
        """What the state's text says."""
        self.create_date = self.update_date = now()
        """When it was started and when its state last changed, in milliseconds since the Unix epoch."""
        self.steps_seen = 0
        """How many checkpoints it has written."""
        self.last_step: int | None = None
        """The step of the latest checkpoint."""
        self.last_metrics: Mapping[str, Metric] = {}
        """The metrics of the latest checkpoint."""
        self.matrices = ConfusionMatrices()
        """Its evaluations."""
        self._logs = {(first := log_id(run_id)): RunLog(first)}
        self._max_log_bytes = max_log_bytes
        self._now = now
        self._changed = changed
        self._over = asyncio.Event()
        self._encoded: bytes | None = None

    def __repr__(self) -> str:
        return f"<LocalRun {self.id} {self.overview} steps_seen={self.steps_seen}>"

    @property
    def log_ids(self) -> tuple[str, ...]:
        """The IDs of its logs, the one that is written last."""
        return tuple(self._logs)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.overview in _ENDS

    async def wait_over(self) -> None:
        """Wait until the run has ended."""
        await self._over.wait()

    def epochs(self, total: int) -> range:
        """Give the steps to train, from 1: `total`, or as many as the limit `LIM_EPOCHS` allows."""
        limit = self.execution.limit
        allowed = min(total, limit.value) if limit.metric == "LIM_EPOCHS" else total
        return range(1, allowed + 1)

    def is_evaluated_at(self, step: int, last: int) -> bool:
        """Tell whether an evaluation is due: at each evaluation interval, and at the last step."""
        return step == last or step % self.execution.checkpoint.evaluation_interval == 0

    def begin(self, message: str = "Training in progress.") -> None:
        """Go from `Creating` to `Running`; nothing changes where it runs already.

        Raises `RunOverError` where it has ended.
        """
        if self.is_over:
            raise RunOverError(f"{self.id} cannot begin: it is {self.overview} ({self.message})")
        if self.overview == "Creating":
            self._change("Running", message)

    def checkpoint(
        self, step: int, *, time: int | None = None, message: str | None = None, **metrics: Metric
    ) -> None:
        """Write a checkpoint, and begin the run where it is `Creating`.

        Works after the end as well, since late lines do occur. A log at its limit takes no more.

        `time` is in milliseconds since the Unix epoch, by default now. `message` is by default made of the
        metrics as Nexus does. A metric is a number, text in its place, or None for `null`; a float that is
        not finite is written as `"NaN"`, `"Infinity"` or `"-Infinity"`.

        Raises `InvalidArgumentError` for a step below 0.
        """
        if step < 0:
            raise InvalidArgumentError(f"step={step} must not be below 0")
        if self.overview == "Creating":
            self.begin()
        if self._write(encode_checkpoint(step, self._time(time), message, metrics)):
            self.steps_seen += 1
            self.last_step = step
            self.last_metrics = metrics

    def log(self, ev: str, payload: object = ABSENT, *, time: int | None = None) -> None:
        """Write an entry of any kind; without `payload` it has no `pl`.

        `time` is in milliseconds since the Unix epoch, by default now.
        """
        self._write(encode_entry(ev, self._time(time), payload))

    def append(self, raw: bytes) -> None:
        """Write the bytes of one entry as they are, JSON or not."""
        self._write(raw)

    def open_log(self) -> str:
        """Open another log, which later entries go to, and give its ID.

        Raises `InvalidArgumentError` where the run has a hundred of them.
        """
        if len(self._logs) >= _MOST_LOGS:
            raise InvalidArgumentError(f"{self.id} has {_MOST_LOGS} logs, and no run has more")
        log = RunLog(log_id(self.id, len(self._logs)))
        self._logs[log.id] = log
        self._encoded = None
        return log.id

    def evaluate(self, step: int, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Add an evaluation to the run's confusion matrix.

        `counts[predicted][true]` are whole numbers in the order of `classes`. `Background` is always written
        as the last row and column, with zeros where the classes lack it. The last thousand are kept.

        Raises `InvalidArgumentError` where the counts are not a square of the classes' length.
        """
        self.matrices.add(step, classes, counts)

    def finish(self, message: str = "Training completed.") -> None:
        """End the run as `Finished`.

        Raises `RunOverError` where it has ended already.
        """
        self._end("Finished", message)

    def fail(self, message: str) -> None:
        """End the run as `Errored`.

        Raises `RunOverError` where it has ended already.
        """
        self._end("Errored", message)

    def cancel(self, message: str = "Training cancelled.") -> None:
        """End the run as `Cancelled`.

        Raises `RunOverError` where it has ended already.
        """
        self._end("Cancelled", message)

    def find_log(self, wanted: str) -> RunLog | None:
        """Give the log of this ID, or None."""
        return self._logs.get(wanted)

    def encoded(self) -> bytes:
        """Give the run as the wire has it, encoded once for each change."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(self._wire())
        return self._encoded

    def _wire(self) -> dict[str, object]:
        status = {"overview": self.overview, "message": self.message, "updateDate": self.update_date}
        return {
            "id": self.id,
            "projectId": self.project_id,
            "flowId": self.flow_id,
            "execution": self.execution,
            "features": self.features,
            "status": status,
            "createDate": self.create_date,
            "updateDate": self.update_date,
            "logIds": self.log_ids,
        }

    def _time(self, given: int | None) -> int:
        return self._now() if given is None else given

    def _write(self, entry: bytes) -> bool:
        log = self._logs[next(reversed(self._logs))]
        if log.size + len(entry) < self._max_log_bytes:
            log.append(entry)
            return True
        if not self.is_over:
            self.fail(f"The log reached its limit of {self._max_log_bytes} bytes (max_log_bytes).")
        return False

    def _end(self, overview: Overview, message: str) -> None:
        if self.is_over:
            raise RunOverError(f"{self.id} cannot end twice: it is {self.overview} ({self.message})")
        self._change(overview, message)
        self._over.set()

    def _change(self, overview: Overview, message: str) -> None:
        self.overview = overview
        self.message = message
        self.update_date = self._now()
        self._encoded = None
        self._changed(self)
