"""The table of runs, drawn several times a second: as few pieces of text as can be, and no measuring twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from nexus_async.cli.cells import OPTIONAL, cells_of
from nexus_async.cli.curve import title_of
from nexus_async.cli.listing import STYLES
from nexus_async.cli.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import Console, ConsoleOptions

    from nexus_async.cli.board import Board, Row

CURVE: Final = "curve"
_LEFT: Final = frozenset({"run", "workflow", "status", CURVE})
_LEAST_FIRST: Final = ("size", "rate", CURVE, "age", "best", "eta", "done", "workflow", "step", "loss")
"""The columns that a narrow terminal does without, the least important first."""
_SHRINKING: Final = {CURVE: 8, "workflow": 12}
"""The columns that may get narrower before they are left out, and how narrow."""
_LONGEST_CURVE: Final = 24
_GAP: Final = "  "
_BOLD: Final = Style(bold=True)
_DIM: Final = Style(dim=True)
_REMARK: Final = Style(color="yellow")
_STATUS_STYLES: Final = {status: Style.parse(style) for status, style in STYLES.items()}
_END: Final = Segment.line()

_Cells = dict[str, str]


class BoardTable:
    """Draw the board in `width` columns, at `now` seconds since the Unix epoch.

    Where not all fits, the curve gets shorter, and what matters least is left out. With a `height` in lines, the
    runs that go on are shown before those that are over, and those that do not fit are counted.
    """

    def __init__(self, board: Board, *, now: float, width: int, height: int | None = None) -> None:
        self._board = board
        self._rows, self._hidden = _rows_within(board, height)
        self._cells = [cells_of(row, board, now=now) for row in self._rows]
        self._sizes = _sizes_within(self._cells, width)
        self._width = width

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        yield from self._line({name: self._title(name) for name in self._sizes}, _BOLD)
        for row, cells in zip(self._rows, self._cells, strict=True):
            cells[CURVE] = row.curve.drawn(self._sizes.get(CURVE, 0))
            yield from self._line(cells, None, status=_STATUS_STYLES.get(row.status))
        if self._hidden:
            yield from self._note(_in_words(self._hidden), _DIM)
        for remark in self._board.remarks:
            yield from self._note(visible(remark), _REMARK)
        if self._board.footer:
            yield from self._note(self._board.footer, _DIM)

    def _title(self, name: str) -> str:
        if name == "loss":
            return title_of(self._board.metric)
        return "" if name == CURVE else name

    def _line(
        self, cells: Mapping[str, str], style: Style | None, *, status: Style | None = None
    ) -> Iterator[Segment]:
        """Write a line in three pieces at most: only the status has a style of its own, and the curve with it."""
        plain = ""
        for name, size in self._sizes.items():
            text = _fitted(cells[name], size, to_left=name in _LEFT)
            if status is not None and name in {"status", CURVE}:
                yield Segment(plain, style)
                yield Segment(text, status)
                plain = _GAP
            else:
                plain += text + _GAP
        yield Segment(plain.rstrip(), style)
        yield _END

    def _note(self, text: str, style: Style) -> Iterator[Segment]:
        yield Segment(set_cell_size(text, self._width).rstrip(), style)
        yield _END


def _rows_within(board: Board, height: int | None) -> tuple[Sequence[Row], Sequence[Row]]:
    """Choose the rows that fit, and those that do not."""
    rows = list(board.rows.values())
    room = len(rows) if height is None else max(1, height - 3 - len(board.remarks))
    if len(rows) <= room:
        return rows, []
    rows.sort(key=lambda row: row.is_over)  # stable: otherwise as they were added
    return rows[:room], rows[room:]


def _in_words(rows: Sequence[Row]) -> str:
    counts = Counter(row.status for row in rows)
    return f"and {len(rows)} more: " + ", ".join(f"{count} {visible(status)}" for status, count in counts.items())


def _sizes_within(cells: Sequence[_Cells], width: int) -> dict[str, int]:
    """Choose the columns that fit, each with its width."""
    sizes = {
        "run": 12, "workflow": 8, "status": 9, "done": 4, "step": 4, "loss": 9, "best": 9,
        CURVE: _LONGEST_CURVE, "age": 6, "rate": 8, "size": 7, "eta": 6,
    }  # fmt: skip
    for name in OPTIONAL:
        if not any(row[name] for row in cells):
            del sizes[name]
    for name in ("workflow", "step", "status"):
        sizes[name] = max([sizes[name], *(cell_len(row[name]) for row in cells)])
    for name in _LEAST_FIRST:
        excess = sum(sizes.values()) + len(_GAP) * (len(sizes) - 1) - width
        if excess <= 0:
            break
        if name in _SHRINKING and sizes[name] - excess >= _SHRINKING[name]:
            sizes[name] -= excess
        else:
            sizes.pop(name, None)
    return sizes


def _fitted(text: str, size: int, *, to_left: bool) -> str:
    length = len(text) if text.isascii() else cell_len(text)
    if length > size:
        return set_cell_size(text, size - 1) + "…"
    return text + " " * (size - length) if to_left else " " * (size - length) + text
