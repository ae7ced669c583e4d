"""Runs, curves and heat maps as HTML with inline SVG, for notebooks.

Nothing of it is a script, and every text is escaped: names come from the API. Lines and texts take the colour of
what surrounds them, so that it reads on a light ground and on a dark one.
"""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BLUE: Final = "#3b82f6"
"""Stands out from white and from black alike."""
LONGEST_TEXT: Final = 200
"""Characters of a text that are shown."""
MOST_POINTS: Final = 300
"""Points of a curve that are drawn; where there are more, the highest and the lowest of each stretch are kept."""
WIDTH, HEIGHT, EDGE = 240, 80, 4
"""Pixels of a curve, and of the space around its line."""


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """Return a text as HTML, cut where it is long."""
    shown = str(value)
    return escape(shown if len(shown) <= longest else f"{shown[: longest - 1]}…")


def number(value: float) -> str:
    """Return a number as people read it."""
    return f"{value:.4g}"


def block(title: str, *parts: str) -> str:
    """Return HTML with a title, which is text, above parts, which are HTML."""
    body = "".join(parts)
    return f'<div style="font:13px/1.5 system-ui,sans-serif"><b>{text(title)}</b>{body}</div>'


def table(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of names and values, both text."""
    cells = "".join(
        f'<tr><td style="text-align:left;opacity:.7;padding-right:1em">{text(name)}</td>'
        f'<td style="text-align:left">{text(value)}</td></tr>'
        for name, value in rows
    )
    return f'<table style="font:inherit">{cells}</table>'


def dot(colour: str) -> str:
    """Return a small disc."""
    disc = f'<circle cx="5" cy="5" r="5" fill="{escape(colour)}"/>'
    return f'<svg width="10" height="10" aria-hidden="true">{disc}</svg> '


def curves(steps: Sequence[int], columns: Iterable[tuple[str, Sequence[float]]]) -> str:
    """Return a small diagram for each column of values over steps."""
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:12px">'
        f"{''.join(_diagram(name, steps, values) for name, values in columns)}</div>"
    )


def _diagram(name: str, steps: Sequence[int], values: Sequence[float]) -> str:
    points = [(step, value) for step, value in zip(steps, values, strict=True) if math.isfinite(value)]
    if not points:
        return f"<div><b>{text(name, 40)}</b><br>no finite value</div>"
    heights = [value for _, value in points]
    low, high, last = (number(value) for value in (min(heights), max(heights), heights[-1]))
    caption = f"{text(name, 30)} <b>{last}</b><br><small>{low} … {high}</small>"
    return (
        f'<div style="width:{WIDTH}px">{caption}<br><svg width="{WIDTH}" height="{HEIGHT}" role="img" '
        f'aria-label="{text(name, 40)}: {last} at step {points[-1][0]}">'
        f'<path d="M0 {HEIGHT}H{WIDTH}" stroke="currentColor" opacity=".3"/>'
        f'<path d="{_path(steps, values)}" fill="none" stroke="{BLUE}" stroke-width="1.5" '
        'stroke-linecap="round" stroke-linejoin="round"/></svg></div>'
    )


def _path(steps: Sequence[int], values: Sequence[float]) -> str:
    """Draw a line through what is finite, broken where it is not, and where a resumed training goes back."""
    finite = [value for value in values if math.isfinite(value)]
    x, y = _Scale(min(steps), max(steps), WIDTH), _Scale(max(finite), min(finite), HEIGHT)
    parts = []
    for stretch in _stretches(steps, values):
        placed = [f"{x(step)} {y(value)}" for step, value in thinned(stretch)]
        parts.append("M" + "L".join(placed if len(placed) > 1 else placed * 2))
    return "".join(parts)


class _Scale:
    """Place a value between two ends on a line of pixels."""

    def __init__(self, first: float, last: float, length: int) -> None:
        self._first, self._span, self._length = first / 2, last / 2 - first / 2, length

    def __call__(self, value: float) -> str:
        """Return where it is; everything is halved, since the ends may be as far apart as floats go."""
        share = (value / 2 - self._first) / self._span if self._span else 0.5
        return f"{EDGE + share * (self._length - 2 * EDGE):.1f}"


def _stretches(steps: Sequence[int], values: Sequence[float]) -> Iterator[list[tuple[int, float]]]:
    stretch: list[tuple[int, float]] = []
    for step, value in zip(steps, values, strict=True):
        if stretch and (not math.isfinite(value) or step < stretch[-1][0]):
            yield stretch
            stretch = []
        if math.isfinite(value):
            stretch.append((step, value))
    if stretch:
        yield stretch


def thinned(points: Sequence[tuple[int, float]]) -> list[tuple[int, float]]:
    """Return the points; where there are many, the first, the last, and the extremes of each stretch."""
    if len(points) <= MOST_POINTS:
        return list(points)
    length = math.ceil(2 * len(points) / (MOST_POINTS - 2))
    kept = {0, len(points) - 1}
    for start in range(0, len(points), length):
        stretch = range(start, min(start + length, len(points)))
        kept |= {
            min(stretch, key=lambda i: points[i][1]),
            max(stretch, key=lambda i: points[i][1]),
        }
    return [points[i] for i in sorted(kept)]
