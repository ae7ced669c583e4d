"""The kinds of events.

    Event
     +- RunEvent                   of one run: has its cursor
     |   +- RunAdded               it is followed from now on
     |   +- StatusChanged          its status changed
     |   +- Checkpoint             an entry of its log that tells of a checkpoint
     |   +- LogEntry               any other entry
     |   +- LogReset               a log of it was cut or rewritten
     |   +- FollowFailed           it cannot be followed, for now or for good
     |   +- RunRemoved             it is no longer followed, though not at its end
     |   +- RunEnded               it is over, and its logs are read
     +- Disconnected               the API does not answer
     +- Reconnected                it answers again
     +- ProjectUnavailable         the secret key does not reach a project any more
     +- CaughtUp                   what was there when a feed was opened is read
     +- Lagged                     of a hub: a subscriber missed some

Each has an `id`, the same in every process and after every restart. Those of a run have a `cursor`, the token
that resumes after it.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - part of the public properties
from typing import Any

import msgspec

from nexus_async.models.base import moment
from nexus_async.models.run import Run  # noqa: TC001 - msgspec reads the annotations


class Event(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag=True, rename="camel"):
    """Tell of something that happened."""

    id: str
    """The idempotency key: where one is the same as another's, the two tell of the same thing."""


class RunEvent(Event, frozen=True, kw_only=True, gc=False):
    """Tell of something that happened to a run."""

    project_id: str
    run_id: str
    cursor: str
    """The token that resumes after this event."""
    label: str | None = None
    """What the project is called in `watch({label: project})`."""


class RunAdded(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a run is followed from now on. One that is resumed by a cursor is not told anew."""

    run: Run
    """The run as it was then."""


class StatusChanged(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a run's status changed. The `id` is `{run_id}:{status}:{milliseconds of the change}`."""

    previous: str | None
    """The status before; None where none was seen."""
    run: Run
    """The run as it is now; `run.status` has the message and the time."""

    @property
    def status(self) -> str:
        """Return the status as it is now."""
        return self.run.status.overview


class _FromLog(RunEvent, frozen=True, kw_only=True, gc=False):
    log_id: str
    index: int
    """Counts the entries read of this log, from 0."""
    time: float | None
    """Seconds since the Unix epoch by the server's clock; None where the entry has no sound `t`."""

    @property
    def at(self) -> datetime | None:
        """Return the time in UTC, None where there is none."""
        try:
            return None if self.time is None else moment(int(self.time * 1000))
        except (ValueError, OverflowError, OSError):  # beyond what a datetime holds
            return None


class Checkpoint(_FromLog, frozen=True, kw_only=True, gc=False):
    """Tell of a checkpoint of a training. The `id` is `{log_id}:{index}:{fingerprint}`."""

    step: int
    metrics: dict[str, float]
    """Name to value, finite or not; missing and null ones are absent."""
    message: str | None = None
    """The line that the training printed."""


class LogEntry(_FromLog, frozen=True, kw_only=True, gc=False):
    """Tell of any other entry of a log. The `id` is `{log_id}:{index}:{fingerprint}`."""

    ev: str | None
    """What kind of entry it says it is."""
    payload: Any = None
    """Its `pl` as it came, or the whole entry where that is no mapping."""


class LogReset(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a log got shorter, or that what was read of it changed in meaning."""

    log_id: str
    read: int
    """How many entries were read before."""
    recognized: int
    """How many of the last entries read were found again."""
    resumes_at: int
    """The entry of the new log, counted from 0, at which reading goes on: those before it count as read."""


class FollowFailed(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a run cannot be followed: once for each time, however long it lasts."""

    error: str
    """What came instead of an answer."""
    fatal: bool
    """Whether that is for good: the run is gone, and no longer followed."""


class RunRemoved(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a run is no longer followed: it was removed, or no longer fits `where`."""


class RunEnded(RunEvent, frozen=True, kw_only=True, gc=False):
    """Tell that a run is over and its logs are read: the last event of a run."""

    run: Run
    """The run as it was after its logs were read."""
    outcome: str
    """`Finished`, `Errored` or `Cancelled`."""
    drained: bool
    """Whether its logs had come to rest; False where they still grew after `drain_timeout`."""


class Disconnected(Event, frozen=True, kw_only=True, gc=False):
    """Tell that the API does not answer: once for each outage, however long."""

    project_ids: tuple[str, ...]
    """The projects that are concerned."""
    since: float
    """Seconds since the Unix epoch by this machine's clock: the first request that was not answered."""
    error: str
    """The last failure."""


class Reconnected(Event, frozen=True, kw_only=True, gc=False):
    """Tell that the API answers again. Nothing of the meantime is lost: logs are whole at every poll."""

    project_ids: tuple[str, ...]
    """The projects that are concerned."""
    since: float
    """When the outage began, in seconds since the Unix epoch by this machine's clock."""
    seconds: float
    """How long it lasted."""


class ProjectUnavailable(Event, frozen=True, kw_only=True, gc=False):
    """Tell that the secret key does not reach a project any more. Its runs are no longer followed; others are."""

    project_id: str
    error: str
    """What the API said."""
    label: str | None = None
    """What the project is called in `watch({label: project})`."""


class CaughtUp(Event, frozen=True, kw_only=True, gc=False):
    """Tell that what was there when the feed was opened is read."""


class Lagged(Event, frozen=True, kw_only=True, gc=False):
    """Tell a subscriber of a hub that it missed events: it was too slow, or away for too long."""

    after: str | None
    """Where: what `hub.subscribe(after=)` takes to go on from there. None where it was told nothing before."""
