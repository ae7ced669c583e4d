"""A training run, as the API tells of it."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of properties' owners
from typing import Final

import msgspec

from nexus_async.errors import InvalidArgumentError
from nexus_async.models.base import Decoder, Model, moment
from nexus_async.models.drawing import block, dot, table, text

FINISHED: Final = "Finished"
TERMINAL: Final = frozenset({FINISHED, "Errored", "Cancelled"})
"""The statuses that end a run; the others known are `Creating` and `Running`."""

COLOURS: Final = {
    "Creating": "#8b5cf6",
    "Running": "#3b82f6",
    "Finished": "#16a34a",
    "Errored": "#dc2626",
    "Cancelled": "#d97706",
}
"""What a notebook shows a status by, beside its name."""
UNKNOWN: Final = "#6b7280"


class RunAccelerator(Model, frozen=True, kw_only=True):
    """Name the hardware that a run trains on."""

    name: str = ""
    """Such as `GPU_T4`; names that this release does not know are kept."""
    count: int = 1
    """How many of them."""


class RunCheckpoint(Model, frozen=True, kw_only=True):
    """Tell when a run saves its weights."""

    strategy: str = ""
    """Such as `STRAT_ALWAYS_SAVE_LATEST`."""
    evaluation_interval: int = 0
    """Steps between two evaluations; 0 where the answer does not say."""
    metric: str | None = None
    """The metric that the strategy goes by, such as `Loss/total_loss`."""


class RunLimit(Model, frozen=True, kw_only=True):
    """Tell what ends a run early."""

    metric: str = ""
    """`LIM_MINUTE`, `LIM_EPOCHS` or `LIM_NONE`."""
    value: int = 0
    """Minutes or epochs."""


class RunExecution(Model, frozen=True, kw_only=True):
    """Tell how a run is carried out."""

    accelerator: RunAccelerator | None = None
    checkpoint: RunCheckpoint | None = None
    limit: RunLimit | None = None


class RunFeatures(Model, frozen=True, kw_only=True):
    """Tell what a run does beside training; what an answer leaves out is off."""

    preview: bool = False
    """Superseded by `advanced_evaluation`."""
    matrix: bool = False
    """Superseded by `advanced_evaluation`."""
    advanced_evaluation: bool = False
    using_sliding_window: bool = False


class RunStatus(Model, frozen=True, kw_only=True):
    """Tell where a run stands."""

    overview: str
    """`Creating`, `Running`, `Finished`, `Errored` or `Cancelled`; a status unknown so far is kept."""
    message: str = ""
    """A sentence for people."""
    update_data: int = msgspec.field(name="updateDate", default=0)
    """When the status last changed, in milliseconds since the Unix epoch; 0 where the answer does not say.

    The reference's name, kept.
    """

    @property
    def update_date(self) -> int:
        """Return `update_data` by the name that it has on the wire."""
        return self.update_data

    @property
    def updated_at(self) -> datetime:
        """Return when the status last changed, in UTC."""
        return moment(self.update_data)

    @property
    def is_terminal(self) -> bool:
        """Tell whether the run is over: `Finished`, `Errored` or `Cancelled`."""
        return self.overview in TERMINAL


class Run(Model, frozen=True, kw_only=True):
    """Tell of one training run. Every answer has its ID and its status; what it leaves out else has a default."""

    id: str
    """Such as `run_610ba26c-6fbb-42eb-b838-839c61b68b26`."""
    project_id: str = ""
    flow_id: str = ""
    """The workflow that it trains."""
    execution: RunExecution = RunExecution()
    status: RunStatus
    create_date: int = 0
    """Milliseconds since the Unix epoch; 0 where the answer does not say."""
    update_date: int = 0
    """Milliseconds since the Unix epoch; 0 where the answer does not say."""
    features: RunFeatures = RunFeatures()
    log_ids: list[str] = []
    """The IDs of its logs, oldest first; empty until it has one."""

    @property
    def logs(self) -> list[str]:
        """Return `log_ids`, by the name that an example of the reference uses."""
        return self.log_ids

    @property
    def created_at(self) -> datetime:
        """Return when the run was created, in UTC."""
        return moment(self.create_date)

    @property
    def updated_at(self) -> datetime:
        """Return when the run was last updated, in UTC."""
        return moment(self.update_date)

    def _repr_html_(self) -> str:
        accelerator = self.execution.accelerator
        rows = [
            ("message", self.status.message),
            ("workflow", self.flow_id),
            ("accelerator", f"{accelerator.count} x {accelerator.name}" if accelerator else ""),
            ("created", _told(self.create_date)),
            ("updated", _told(self.update_date)),
        ]
        status = f"<br>{dot(COLOURS.get(self.status.overview, UNKNOWN))}{text(self.status.overview)}"
        return block(self.id, status, table(row for row in rows if row[1]))


def _told(milliseconds: int) -> str:
    if not milliseconds:
        return ""
    try:
        return f"{moment(milliseconds):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):  # beyond what a datetime holds
        return f"{milliseconds} ms since 1970"


def check_run_id(run_id: str) -> None:
    """Raise `InvalidArgumentError` where `run_id` is no run's ID."""
    if not isinstance(run_id, str) or not run_id.strip():
        raise InvalidArgumentError(f"{run_id!r} is no run's ID, such as 'run_610ba26c-6fbb-...'")
    if run_id.startswith("runlog_"):
        raise InvalidArgumentError(f"{run_id!r} is a log's ID: pass the ID of the run that it belongs to")


decode_run = Decoder(Run)
decode_runs = Decoder(list[Run])
