"""A curve in one line of text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVELS: Final = "▁▂▃▄▅▆▇█"
LOST: Final = "!"
"""Stands for a value that is no finite number."""


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the values in at most `width` characters, on a logarithmic scale where all are above zero.

    Where there are more values than characters, the last of each stretch is drawn.
    """
    drawn = _thinned(values, width)
    finite = [value for value in drawn if math.isfinite(value)]
    if not finite:
        return LOST * len(drawn)
    scale = math.log if min(finite) > 0 else float
    low, high = scale(min(finite)), scale(max(finite))
    return "".join(_level(scale(value), low, high) if math.isfinite(value) else LOST for value in drawn)


def _thinned(values: Sequence[float], width: int) -> list[float]:
    if len(values) <= width:
        return list(values)
    return [values[(i + 1) * len(values) // width - 1] for i in range(width)]


def _level(value: float, low: float, high: float) -> str:
    share = (value - low) / (high - low) if high > low else 0.0
    return LEVELS[round(share * (len(LEVELS) - 1))]
