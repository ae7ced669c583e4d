"""Curves and confusion matrices drawn with matplotlib, where that is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.models.heat_map import MOST_NAMED, MOST_WRITTEN
from nexus_async.models.needed import needed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes


def plot_curves(
    steps: Sequence[int], columns: Iterable[tuple[str, Sequence[float]]], *, title: str, ax: Axes | None
) -> Axes:
    """Draw each column of values over steps into one pair of axes."""
    ax = _axes(ax, "RunHistory.plot()")
    for name, values in columns:
        ax.plot(steps, values, label=_plain(name))
    ax.set_title(_plain(title))
    ax.set_xlabel("step")
    ax.legend()
    return ax


def plot_matrix(
    classes: Sequence[str], counts: Sequence[Sequence[float]], *, title: str, ax: Axes | None
) -> Axes:
    """Draw `counts[predicted][true]` as a heat map."""
    ax = _axes(ax, "ConfusionMatrix.plot()")
    ax.imshow(counts, cmap="Blues")
    ax.set_title(_plain(title))
    ax.set_xlabel("true")
    ax.set_ylabel("predicted")
    if len(classes) <= MOST_NAMED:
        names = [_plain(name) for name in classes]
        ax.set_xticks(range(len(classes)), names, rotation=90)
        ax.set_yticks(range(len(classes)), names)
    if len(classes) <= MOST_WRITTEN:
        _write(ax, counts)
    return ax


def _write(ax: Axes, counts: Sequence[Sequence[float]]) -> None:
    highest = max((count for row in counts for count in row), default=0)
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            colour = "white" if count > highest / 2 else "black"
            ax.text(j, i, f"{count:.3g}", ha="center", va="center", color=colour)


def _axes(ax: Axes | None, what: str) -> Axes:
    """Return the axes that are given, or those of a new figure, which a notebook shows by itself."""
    if ax is not None:
        return ax
    new: Axes = needed("matplotlib.pyplot", what).subplots(layout="constrained")[1]
    return new


def _plain(name: str) -> str:
    """Keep matplotlib from reading a name as mathematics."""
    return name.replace("$", r"\$")
