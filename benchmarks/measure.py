"""Measure several sides in turns, since a machine that is shared changes from one minute to the next.

Each round measures every side once, and two sides are compared within a round: a ratio is the median of the
rounds' ratios, with the least and the greatest beside it.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

S = TypeVar("S")
T = TypeVar("T")


class Spread(NamedTuple):
    """The median of what the rounds gave, with the least and the greatest."""

    median: float
    low: float
    high: float

    def __format__(self, spec: str) -> str:
        return f"{self.median:{spec}} [{self.low:{spec}}-{self.high:{spec}}]"


def spread(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values))


def ratio(side: Sequence[float], other: Sequence[float]) -> Spread:
    """Compare two sides, round by round."""
    return spread([ours / theirs for ours, theirs in zip(side, other, strict=True)])


def in_turns(rounds: int, sides: Mapping[S, Callable[[], T]]) -> dict[S, list[T]]:
    """Measure each side once a round; every round begins with another side. A first round is not counted."""
    taken: dict[S, list[T]] = {side: [] for side in sides}
    order = list(sides)
    for measure in sides.values():
        measure()
    for _ in range(rounds):
        for side in order:
            taken[side].append(sides[side]())
        order.append(order.pop(0))
    return taken


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, the first flush left and the others flush right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, ["-" * width for width in widths], *rows):
        first, *others = (
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join([first, *others]))


def print_target(what: str, reached: Spread, limit: float, digits: int = 2) -> None:
    """Say whether the median of a ratio is at most `limit`."""
    verdict = "reached" if reached.median <= limit else "missed"
    print(f"target: {what} <= {limit:.{digits}f}: {verdict}, {reached:.{digits}f}")
