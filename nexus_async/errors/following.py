"""What ends a stream, a feed or a wait, and what they cannot go on from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.errors.root import NexusError

if TYPE_CHECKING:
    from nexus_async.errors.request import RequestError


class InvalidCursorError(NexusError):
    """Tell of a cursor that cannot be resumed from: garbage, of another run, or of a newer release."""


class InvalidEventError(NexusError):
    """Tell of a text that is no event as this package writes them, or one of a newer release."""


class StoreError(NexusError):
    """Tell of a store that cannot keep what it should: damaged, of a newer release, or out of reach."""


class StoreBusyError(StoreError):
    """Tell that another process writes to a store, and did not let go of it in time."""


class StoreLostError(StoreError):
    """Tell that another process took a store over. What was handed out since is not kept in it."""


class OutageError(NexusError):
    """Tell that what is followed or waited for went without an answer for longer than `max_outage`."""

    def __init__(
        self, *, seconds: float, reason: RequestError, run_id: str | None = None, cursor: str | None = None
    ) -> None:
        where = f"{run_id}: " if run_id else ""
        remedy = "Resume with cursor=error.cursor" if cursor else "Try again"
        super().__init__(f"{where}no answer for {seconds:.0f} s, last {reason.what}. {remedy}")
        self.seconds = seconds
        """For how long no answer came."""
        self.reason = reason
        """The last failure."""
        self.run_id = run_id
        """The run that was followed; None where several were waited for."""
        self.cursor = cursor
        """The token that resumes after the last checkpoint that was handed out; None where there is none."""


class StreamTimeoutError(NexusError):
    """Tell that the time to wait on a stream ran out."""

    def __init__(self, *, run_id: str, why: str, status: str | None, cursor: str) -> None:
        super().__init__(f"{run_id} is {status or 'unknown'}: {why}. Resume with cursor=error.cursor")
        self.run_id = run_id
        """The run that is followed."""
        self.why = why
        """What ran out."""
        self.status = status
        """The run's last status; None where none was seen yet."""
        self.cursor = cursor
        """The token that resumes after the last checkpoint that was handed out."""


class WaitTimeoutError(NexusError):
    """Tell that runs were not over when the time to wait for them was."""

    def __init__(self, *, seconds: float, statuses: dict[str, str | None]) -> None:
        told = ", ".join(f"{run_id} is {status or 'unknown'}" for run_id, status in list(statuses.items())[:3])
        more = f" and {len(statuses) - 3} more" if len(statuses) > 3 else ""  # noqa: PLR2004 - what a line holds
        super().__init__(f"not over after {seconds:g} s: {told}{more}. Wait again, or with a larger timeout")
        self.seconds = seconds
        """How long was waited."""
        self.statuses = statuses
        """The last status of each run that is not over, by its ID; None where none was seen yet."""


class RunFailedError(NexusError):
    """Tell that a run that was waited for ended as `Errored` or `Cancelled`."""

    def __init__(self, *, run_id: str, status: str, message: str) -> None:
        super().__init__(" ".join(f"{run_id} is {status}: {message}".split()))
        self.run_id = run_id
        self.status = status
        """`Errored` or `Cancelled`."""
        self.message = message
        """What the API says of it."""
