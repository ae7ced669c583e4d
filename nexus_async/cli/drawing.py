"""Drawing a board as a table, an event as a line, and a confusion matrix as a grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from nexus_async.cli.sparkline import sparkline

if TYPE_CHECKING:
    from nexus_async.cli.board import Board, Row
    from nexus_async.models.confusion_matrix import ConfusionMatrix

CURVE: Final = "curve"
NUMBERS: Final = frozenset({"step", "loss", "best", "age"})
LEAST_FIRST: Final = (CURVE, "age", "best", "workflow", "step", "loss")
"""The columns that a narrow terminal does without, the least important first."""
SHRINKING: Final = {CURVE: 8, "workflow": 12}
"""The columns that may get narrower before they are left out, and how narrow."""
STYLES: Final = {
    "Creating": "dim",
    "Running": "cyan",
    "Finished": "green",
    "Errored": "bold red",
    "Cancelled": "yellow",
}
_HEAT: Final = ("grey50", "grey70", "yellow", "dark_orange", "red")


def short(run_id: str) -> str:
    """Return the part of a run's ID that people tell it apart by."""
    return run_id[: len("run_") + 8]


def board_table(board: Board, *, now: float, width: int) -> Group:
    """Draw the board in `width` columns, at `now` seconds since the Unix epoch.

    Where not all fits, the curve gets shorter, and what matters least is left out.
    """
    table = Table(box=None, header_style="bold", pad_edge=False)
    columns = _columns_within(board, width)
    for name, size in columns.items():
        table.add_column(
            name if name != CURVE else "",
            justify="right" if name in NUMBERS else "left",
            width=size,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in board.rows.values():
        cells = _cells(row, now, columns.get(CURVE, 0))
        table.add_row(*(cells[name] for name in columns))
    return Group(table, *(Text(remark, style="yellow") for remark in board.remarks))


def _columns_within(board: Board, width: int) -> dict[str, int]:
    """Choose the columns that fit, each with its width."""
    titles = max((len(row.workflow) for row in board.rows.values()), default=0)
    steps = max((len(str(row.step)) for row in board.rows.values()), default=0)
    sizes = {
        "run": 12,
        "workflow": max(8, titles),
        "status": 9,
        "step": max(4, steps),
        "loss": 9,
        "best": 9,
        CURVE: 24,
        "age": 6,
    }
    for name in LEAST_FIRST:
        excess = sum(sizes.values()) + 2 * (len(sizes) - 1) - width
        if excess <= 0:
            break
        if name in SHRINKING and sizes[name] - excess >= SHRINKING[name]:
            sizes[name] -= excess
        else:
            del sizes[name]
    return sizes


def _cells(row: Row, now: float, curve: int) -> dict[str, Text]:
    style = STYLES.get(row.status, "")
    return {
        "run": Text(short(row.run_id)),
        "workflow": Text(row.workflow),
        "status": Text(row.status, style=style),
        "step": Text("" if row.step is None else str(row.step)),
        "loss": Text(number(row.loss)),
        "best": Text(number(row.best)),
        CURVE: Text(sparkline(row.losses, curve) if curve else "", style=style),
        "age": Text("" if row.time is None else f"{max(0.0, now - row.time):.0f} s"),
    }


def checkpoint_line(row: Row) -> str:
    """Write a run's last checkpoint as one plain line."""
    return (
        f"{short(row.run_id)}  {row.workflow}  {row.status}  step {row.step}  "
        f"loss {number(row.loss)}  best {number(row.best)}"
    )


def matrix_table(matrix: ConfusionMatrix) -> Table:
    """Draw a confusion matrix: a row a prediction, a column a truth."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("predicted \\ true", style="bold", no_wrap=True)
    for name in matrix.classes:
        table.add_column(Text(name), justify="right", no_wrap=True)
    most = max((count for row in matrix.counts for count in row), default=0)
    for i, name in enumerate(matrix.classes):
        table.add_row(Text(name), *(_cell(count, most, i == j) for j, count in enumerate(matrix.counts[i])))
    return table


def _cell(count: float, most: float, is_right: bool) -> Text:  # noqa: FBT001 - which of two colours
    if is_right:
        return Text(f"{count:g}", style="bold green")
    heat = _HEAT[min(len(_HEAT) - 1, math.ceil(count / most * 4 * (len(_HEAT) - 1)))] if most else ""
    return Text(f"{count:g}" if count else ".", style=heat)


def number(value: float | None) -> str:
    """Write a metric in at most nine characters."""
    if value is None:
        return ""
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e4 else f"{value:.3g}"  # noqa: PLR2004 - what fits
