"""`nexus-async runs matrix`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nexus_async.cli.console import PipedConsole, draw, is_drawn_on, say
from nexus_async.cli.heat_map import heat_maps
from nexus_async.cli.listing import Listing, append_summary, markdown_of, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_id
from nexus_async.cli.options import AS_TABLE, FLAG, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project

if TYPE_CHECKING:
    from nexus_async.models.confusion_matrix import ConfusionMatrix


def matrix(
    run: RunName,
    /,
    *,
    normalize: Annotated[bool, FLAG, Parameter(help="Shares of each true class, not counts.")] = False,
    background: Annotated[bool, Parameter(help="With the class that stands for no object.")] = True,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> None:
    """Draw the last confusion matrix of a run: a row a prediction, a column a truth.

    Such as:

      nexus-async runs matrix @latest --normalize --no-background
      nexus-async runs matrix run_610ba -o json
    """
    run_id, found = run_async(_matrix(run, project))
    found = found if background else found.without_background()
    found = found.normalized() if normalize else found
    _show(run_id, found, shown)


async def _matrix(name: str, wanted: str | None) -> tuple[str, ConfusionMatrix]:
    async with open_project(wanted) as project:
        run_id = await find_run_id(project, name)
        return run_id, (await project.runs.get_confusion_matrix(run_id)).latest


def _show(run_id: str, matrix: ConfusionMatrix, shown: Shown) -> None:
    console = PipedConsole()
    listing = _listing(run_id, matrix)
    if shown.output != "table" or not is_drawn_on(console):
        show(listing, shown)
        return
    say(listing.title)
    for part in heat_maps(matrix, width=console.width):
        draw(part, console)
    if shown.summary is not None:
        append_summary(shown.summary, markdown_of(listing))


def _listing(run_id: str, matrix: ConfusionMatrix) -> Listing:
    """Return the matrix as rows, one for each predicted class, in the order of the columns."""
    numbers = [[f"{count:.4g}" for count in row] for row in matrix.counts]
    rows = [(name, *row) for name, row in zip(matrix.classes, numbers, strict=True)]
    return Listing(
        title=f"Confusion matrix of {run_id} at step {matrix.evaluation}",
        columns=("predicted \\ true", *matrix.classes),
        rows=rows,
        found={
            "runId": run_id,
            "evaluation": matrix.evaluation,
            "classes": matrix.classes,
            "counts": matrix.counts,
        },
    )
