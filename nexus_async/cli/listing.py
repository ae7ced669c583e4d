"""What a command found, as a table, plain lines, JSON or Markdown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from nexus_async.cli.console import PipedConsole, draw, is_drawn_on, say, write_json, write_line
from nexus_async.cli.exits import CommandError
from nexus_async.cli.visible import visible
from nexus_async.events import encode_plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from nexus_async.cli.options import Shown

STYLES: Final = {
    "Creating": "dim",
    "Running": "cyan",
    "Finished": "green",
    "Errored": "bold red",
    "Cancelled": "yellow",
}
"""How statuses are shown."""
_NUMBERS: Final = frozenset({"step", "steps", "loss", "best", "last", "assets", "count"})
_GAP: Final = 2


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Hold rows of texts, and what they tell of as it is written as JSON."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    found: Any
    """Models, or what is made of them: a list where there are several, which `-o jsonl` writes one a line."""
    needed: int = field(default=1)
    """How many columns a narrow terminal must show; it does without the last of the others first."""


def show(listing: Listing, shown: Shown) -> None:
    """Write to standard output in the format that was asked for, and to the summary where there is one."""
    match shown.output:
        case "json":
            write_json(encode_plain(listing.found))
        case "jsonl":
            for found in listing.found if isinstance(listing.found, list) else [listing.found]:
                write_json(encode_plain(found))
        case _:
            _show_rows(listing, PipedConsole())
    if shown.summary is not None:
        append_summary(shown.summary, markdown_of(listing))


def append_summary(file: str, markdown: str) -> None:
    """Append to a summary. Raises `CommandError` where the file cannot be written."""
    try:
        with Path(file).open("a", encoding="utf-8") as summary:
            summary.write(markdown)
    except OSError as failure:
        raise CommandError(f"cannot write --summary {file}: {failure.strerror}") from None


def markdown_of(listing: Listing) -> str:
    """Return a listing as a section of Markdown."""
    lines = [listing.columns, tuple("---" for _ in listing.columns), *listing.rows]
    table = "\n".join(f"| {' | '.join(_for_markdown(cell) for cell in line)} |" for line in lines)
    return f"### {_for_markdown(listing.title)}\n\n{table}\n\n"


def _for_markdown(text: str) -> str:
    for special in "\\`*_[]<>|~":
        text = text.replace(special, f"\\{special}" if special not in "<>" else f"&#{ord(special)};")
    return visible(text)


def _show_rows(listing: Listing, console: Console) -> None:
    if not is_drawn_on(console):
        for row in listing.rows:
            write_line("\t".join(map(visible, row)))
        return
    if not listing.rows:
        say(f"{listing.title}: none")
        return
    columns = _columns_within(listing, console.width)
    draw(_table(listing, columns), console)
    if left_out := [name for name in listing.columns if name not in columns]:
        say(f"(too narrow for {', '.join(left_out)}; -o json has all)")


def _columns_within(listing: Listing, width: int) -> Sequence[str]:
    """Choose the columns that fit."""
    sizes = [max(map(cell_len, column)) for column in zip(listing.columns, *listing.rows, strict=True)]
    count = len(sizes)
    while count > listing.needed and sum(sizes[:count]) + _GAP * (count - 1) > width:
        count -= 1
    return listing.columns[:count]


def _table(listing: Listing, columns: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for name in columns:
        table.add_column(name, justify="right" if name in _NUMBERS else "left", overflow="fold")
    for row in listing.rows:
        cells = zip(columns, row, strict=False)
        table.add_row(*(Text(visible(cell), style=_style_of(name, cell)) for name, cell in cells))
    return table


def _style_of(column: str, cell: str) -> str:
    return STYLES.get(cell, "") if column == "status" else ""
