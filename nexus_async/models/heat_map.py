"""A confusion matrix as HTML with an inline SVG, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.models.drawing import BLUE, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Counts = Sequence[Sequence[float]]

MOST_WRITTEN: Final = 15
"""Classes up to which each cell has its number in it, and a tooltip."""
MOST_NAMED: Final = 40
"""Classes up to which rows and columns have their names beside them."""
MOST_DRAWN: Final = 100
"""Classes that are drawn, those with the most counts."""
SHADES: Final = 10
"""Degrees of shading: each is one path, whatever the number of cells."""
DARKEST: Final = 0.7
"""Opacity of the highest count: text above it reads on a light ground and on a dark one."""
LABEL, ROOM, SIDE = 14, 116, 480
"""Characters of a class's name, pixels for them, and pixels of the matrix's side at most."""


def heat_map(classes: Sequence[str], counts: Counts) -> str:
    """Return the matrix `counts[predicted][true]` as an image, and a line on what it leaves out."""
    names, cells, left_out = _largest(classes, counts)
    size = max(10.0, min(40.0, SIDE / max(1, len(names)))) if len(names) <= MOST_NAMED else SIDE / len(names)
    side, room = size * len(names), ROOM if len(names) <= MOST_NAMED else 20
    width = f"{room + side + 1:.0f}"
    remark = f"<div><small>{left_out} classes with fewer counts are left out</small></div>" if left_out else ""
    return (
        f'<svg width="{width}" height="{width}" role="img" aria-label="confusion matrix of {len(names)} classes" '
        f'font-size="11" fill="currentColor">{_axes(room, side)}<g transform="translate({room} {room})">'
        f'<path d="M0 0H{side:.0f}V{side:.0f}H0Z" fill="none" stroke="currentColor" opacity=".3"/>'
        f"{_shaded(cells, size)}{_names(names, size)}{_written(names, cells, size)}</g></svg>{remark}"
    )


def _largest(classes: Sequence[str], counts: Counts) -> tuple[list[str], Counts, int]:
    """Return names and counts, of the classes with the most counts where there are many, in their order."""
    totals = [sum(counts[i]) + sum(row[i] for row in counts) for i in range(len(classes))]
    kept = sorted(sorted(range(len(classes)), key=lambda i: -totals[i])[:MOST_DRAWN])
    cells = [[counts[i][j] for j in kept] for i in kept]
    return [classes[i] for i in kept], cells, len(classes) - len(kept)


def _axes(room: float, side: float) -> str:
    middle = room + side / 2
    return (
        f'<text x="{middle:.0f}" y="11" text-anchor="middle" opacity=".7">true</text>'
        f'<text transform="translate(11 {middle:.0f}) rotate(-90)" text-anchor="middle" opacity=".7">'
        "predicted</text>"
    )


def _shaded(cells: Counts, size: float) -> str:
    highest = max((count for row in cells for count in row), default=0)
    paths: dict[int, list[str]] = {}
    for i, row in enumerate(cells):
        for j, count in enumerate(row):
            if count > 0:
                shade = max(1, round(SHADES * count / highest))
                paths.setdefault(shade, []).append(f"M{j} {i}h1v1h-1z")
    drawn = "".join(
        f'<path d="{"".join(squares)}" opacity="{DARKEST * shade / SHADES:.2f}"/>'
        for shade, squares in sorted(paths.items())
    )
    return f'<g transform="scale({size:.2f})" fill="{BLUE}">{drawn}</g>'


def _names(names: Sequence[str], size: float) -> str:
    return "".join(_named(names, size)) if len(names) <= MOST_NAMED else ""


def _named(names: Sequence[str], size: float) -> Iterator[str]:
    for i, name in enumerate(names):
        middle = f"{(i + 0.5) * size:.1f}"
        said = f"<title>{text(name)}</title>{text(_label(name))}</text>"
        yield f'<text x="-4" y="{middle}" text-anchor="end" dominant-baseline="central">{said}'
        yield f'<text transform="translate({middle} -4) rotate(-90)" dominant-baseline="central">{said}'


def _label(name: str) -> str:
    """Cut the middle out of a long name: classes often differ at the end."""
    return name if len(name) <= LABEL else f"{name[: LABEL // 2]}…{name[1 - LABEL // 2 :]}"


def _written(names: Sequence[str], cells: Counts, size: float) -> str:
    if len(names) > MOST_WRITTEN:
        return ""
    return "".join(
        f'<text x="{(j + 0.5) * size:.1f}" y="{(i + 0.5) * size:.1f}" text-anchor="middle" '
        f'dominant-baseline="central"><title>{text(names[i])} predicted, {text(names[j])} true: {number(count)}'
        f"</title>{_brief(count)}</text>"
        for i, row in enumerate(cells)
        for j, count in enumerate(row)
        if count
    )


def _brief(count: float) -> str:
    """Return a count as it fits into a cell."""
    if count != int(count):
        return f"{count:.2f}"
    return str(int(count)) if count < 10_000 else f"{count:.0e}".replace("e+0", "e")  # noqa: PLR2004 - what fits
