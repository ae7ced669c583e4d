"""A confusion matrix as a heat map: the more, the warmer; what is right is green."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from nexus_async.cli.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.models.confusion_matrix import ConfusionMatrix

_CORNER: Final = "predicted \\ true"
_RIGHT: Final = ("green", "black on green3", "black on green1")
_WRONG: Final = ("yellow", "black on dark_orange", "bold white on red3")
_LONGEST_NAME: Final = 20


def heat_maps(matrix: ConfusionMatrix, *, width: int) -> Iterator[Table]:
    """Draw a matrix in as many tables, below one another, as it takes for all columns to fit into `width`."""
    names = [_cut(visible(name)) for name in matrix.classes]
    cells = [[_written(count) for count in row] for row in matrix.counts]
    first = max([len(_CORNER), *map(cell_len, names)])
    sizes = [max(cell_len(name), *(len(row[j]) for row in cells)) + 2 for j, name in enumerate(names)]
    for columns in _blocks(sizes, width - first):
        yield _block(matrix, names, cells, columns)


def _blocks(sizes: list[int], room: int) -> Iterator[list[int]]:
    """Part columns into runs of them that fit into `room`; each has one at least."""
    block: list[int] = []
    used = 0
    for column, size in enumerate(sizes):
        if block and used + size > room:
            yield block
            block, used = [], 0
        block.append(column)
        used += size
    if block:
        yield block


def _block(matrix: ConfusionMatrix, names: list[str], cells: list[list[str]], columns: list[int]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=0)
    table.add_column(_CORNER, style="bold", no_wrap=True)
    for column in columns:
        table.add_column(Text(f"  {names[column]}"), justify="right", no_wrap=True)
    most = max((count for row in matrix.counts for count in row), default=0)
    for i, name in enumerate(names):
        heats = [Text(f" {cells[i][j]} ", style=_heat(matrix.counts[i][j], most, right=i == j)) for j in columns]
        table.add_row(Text(name), *heats)
    return table


def _heat(count: float, most: float, *, right: bool) -> str:
    if not count:
        return "dim"
    scale = _RIGHT if right else _WRONG
    return scale[min(len(scale) - 1, int(count / most * len(scale)))]


def _written(count: float) -> str:
    return f"{count:g}" if count == int(count) else f"{count:.2f}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
