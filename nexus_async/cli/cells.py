"""What the table of runs says of each: a few characters a column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.cli.drawing import number, short
from nexus_async.cli.times import write_span
from nexus_async.cli.visible import visible

if TYPE_CHECKING:
    from nexus_async.cli.board import Board, Row

OPTIONAL: Final = frozenset({"done", "rate", "size", "eta"})
"""The columns that are left out where no run has anything in them."""
_MINUTE: Final = 60.0
_HOUR: Final = 3600.0


def cells_of(row: Row, board: Board, *, now: float) -> dict[str, str]:
    """Return what each column but the curve says of a run at `now`, in seconds since the Unix epoch."""
    course = board.course(row, now=now)
    return {
        "run": short(visible(row.run_id)),
        "workflow": visible(row.workflow),
        "status": visible(row.status),
        "done": "" if course.done is None else f"{course.done:.0%}",
        "step": "" if row.step is None else str(row.step),
        "loss": number(row.loss),
        "best": number(row.best),
        "age": "" if not row.time else write_span(now - row.time),
        "rate": "" if row.rate is None else write_rate(row.rate),
        "size": "" if row.log_bytes is None else write_bytes(row.log_bytes),
        "eta": "" if course.left is None else write_span(course.left),
    }


def write_rate(per_second: float) -> str:
    """Write how often something happens, by the unit that makes it a number of 1 or more."""
    if per_second >= 1:
        return f"{per_second:.3g}/s"
    if per_second * _MINUTE >= 1:
        return f"{per_second * _MINUTE:.3g}/min"
    return f"{per_second * _HOUR:.3g}/h"


def write_bytes(count: float) -> str:
    """Write a number of bytes in at most seven characters."""
    for unit in ("B", "kB", "MB"):
        if count < 999.5:  # noqa: PLR2004 - what would be written as 1000
            return f"{count:.3g} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1000
    return f"{count:.3g} GB"
