"""Following a feed to what ends a command: the runs' end, a failure, a time limit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nexus_async.cli.exits import NOT_FOUND, STILL_RUNNING, CommandError, code_of_outcomes
from nexus_async.events import FollowFailed, RunEnded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.cli.board import Board
    from nexus_async.cli.views import View
    from nexus_async.events import Event
    from nexus_async.streaming import Feed


class StillRunningError(CommandError):
    """Tell that the time that a command was given ran out before the runs were over."""

    code = STILL_RUNNING


class GoneError(CommandError):
    """Tell that runs are gone, so that their end was never seen."""

    code = NOT_FOUND

    def __init__(self, run_ids: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(run_ids)} cannot be found, or not any more: see nexus-async runs list for those that can"
        )


@dataclass(frozen=True, kw_only=True)
class Limits:
    """When following ends before the runs do."""

    timeout: float | None = None
    """Seconds in all."""
    idle_timeout: float | None = None
    """Seconds without an event."""
    fail_fast: bool = False
    """Whether it ends with the first run that does not finish."""


async def follow(feed: Feed, board: Board, view: View, limits: Limits) -> int:
    """Show the events of a feed to its end, and return the exit code that the runs' ends amount to.

    Raises `StillRunningError` at a limit, and `GoneError` where a run is gone.
    """
    outcomes: list[str] = []
    gone: list[str] = []
    deadline = _deadline(limits.timeout)
    async with view:
        while (event := await _next_event(feed, deadline, limits, board)) is not None:
            board.take(event)
            view.show(event)
            match event:
                case RunEnded(outcome=outcome):
                    outcomes.append(outcome)
                case FollowFailed(fatal=True, run_id=run_id):
                    gone.append(run_id)
            if limits.fail_fast and code_of_outcomes(outcomes):
                break
    if gone and not code_of_outcomes(outcomes):
        raise GoneError(gone)
    return code_of_outcomes(outcomes)


def _deadline(timeout: float | None) -> float | None:
    return None if timeout is None else asyncio.get_running_loop().time() + timeout


async def _next_event(feed: Feed, deadline: float | None, limits: Limits, board: Board) -> Event | None:
    """Return the next event; None after the last."""
    idle_until = _deadline(limits.idle_timeout)
    ends = [end for end in (deadline, idle_until) if end is not None]
    try:
        async with asyncio.timeout_at(min(ends, default=None)):
            return await anext(feed, None)
    except TimeoutError:
        ran_out = deadline is not None and deadline == min(ends)
        raise StillRunningError(_why(limits, board, ran_out=ran_out)) from None


def _why(limits: Limits, board: Board, *, ran_out: bool) -> str:
    going_on = [row.run_id for row in board.rows.values() if not row.is_over]
    which = f"{going_on[0]} and {len(going_on) - 1} more" if len(going_on) > 1 else "".join(going_on) or "none"
    if ran_out:
        return f"still running after {limits.timeout:g} s: {which}. Give it a larger --timeout"
    return f"nothing new for {limits.idle_timeout:g} s, still running: {which}. Give it a larger --idle-timeout"
