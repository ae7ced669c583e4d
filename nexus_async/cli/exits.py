"""How a command ends: its exit code, and the one line that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from nexus_async.errors import (
    AuthenticationError,
    ConfigurationError,
    ForbiddenError,
    InvalidArgumentError,
    NexusError,
    NotFoundError,
    StreamTimeoutError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

DONE: Final = 0
ERROR: Final = 1
USAGE: Final = 2
NOT_ALLOWED: Final = 4
NOT_FOUND: Final = 5
STILL_RUNNING: Final = 8
RUN_ERRORED: Final = 10
RUN_CANCELLED: Final = 11
INTERRUPTED: Final = 130

_CODES: Final = {
    ConfigurationError: USAGE,
    InvalidArgumentError: USAGE,
    AuthenticationError: NOT_ALLOWED,
    ForbiddenError: NOT_ALLOWED,
    NotFoundError: NOT_FOUND,
    WaitTimeoutError: STILL_RUNNING,
    StreamTimeoutError: STILL_RUNNING,
}


class CommandError(NexusError):
    """Tell why a command cannot do what it is asked, and what to do."""

    code: ClassVar[int] = ERROR


class UsageError(CommandError):
    """Tell of words that make no sense to a command."""

    code = USAGE


class NoSuchError(CommandError):
    """Tell of a name that nothing goes by."""

    code = NOT_FOUND


class NoKeyError(CommandError):
    """Tell that there is no secret key to ask with."""

    code = NOT_ALLOWED


def code_of(error: NexusError) -> int:
    """Return the exit code of a command that ends with `error`."""
    if isinstance(error, CommandError):
        return error.code
    return next((code for kind, code in _CODES.items() if isinstance(error, kind)), ERROR)


def code_of_outcomes(outcomes: Iterable[str]) -> int:
    """Return the exit code of a command that saw runs to these ends: one that failed is told before all else."""
    ends = set(outcomes)
    if "Errored" in ends:
        return RUN_ERRORED
    return RUN_CANCELLED if "Cancelled" in ends else DONE
