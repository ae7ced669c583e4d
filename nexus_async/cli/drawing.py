"""Drawing a checkpoint as a line, and a confusion matrix as a grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from nexus_async.cli.curve import title_of
from nexus_async.cli.visible import visible

if TYPE_CHECKING:
    from nexus_async.cli.board import Row
    from nexus_async.models.confusion_matrix import ConfusionMatrix

_HEAT: Final = ("grey50", "grey70", "yellow", "dark_orange", "red")


def short(run_id: str) -> str:
    """Return the part of a run's ID that people tell it apart by."""
    return run_id[: len("run_") + 8]


def checkpoint_line(row: Row) -> str:
    """Write a run's last checkpoint as one plain line."""
    told = [short(row.run_id), row.workflow, row.status]
    if row.step is not None:
        metric = title_of(row.curve.metric)
        told += [f"step {row.step}", f"{metric} {number(row.loss)}", f"best {number(row.best) or 'none'}"]
    return visible("  ".join(told))


def matrix_table(matrix: ConfusionMatrix) -> Table:
    """Draw a confusion matrix: a row a prediction, a column a truth."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("predicted \\ true", style="bold", no_wrap=True)
    for name in matrix.classes:
        table.add_column(Text(visible(name)), justify="right", no_wrap=True)
    most = max((count for row in matrix.counts for count in row), default=0)
    for i, name in enumerate(matrix.classes):
        table.add_row(
            Text(visible(name)), *(_cell(count, most, i == j) for j, count in enumerate(matrix.counts[i]))
        )
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
