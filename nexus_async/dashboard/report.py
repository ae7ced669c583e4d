"""The page with the data in it: one file, which opens from disk."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nexus_async.dashboard.board import Row, rows_written
from nexus_async.dashboard.curve import Curve
from nexus_async.dashboard.lookup import matrices_written
from nexus_async.dashboard.page import page_with
from nexus_async.errors import InvalidArgumentError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from os import PathLike

    from nexus_async.models.run import Run
    from nexus_async.resources.project import Project

MOST_VALUES: Final = 26_000
"""Values of metrics, over all runs: about 200 KB. Ten runs then have 500 points of three metrics each."""
MOST_CELLS: Final = 20_000
"""Counts of confusion matrices, over all runs: about 50 KB."""


class ReportedRun(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what a report tells of a run. Made by `reported_runs`."""

    run: Run
    """The run as it was then."""
    title: str
    """What its workflow is called."""
    curve: Curve
    """Its checkpoints so far, as columns."""
    matrices: list[dict[str, Any]]
    """Its confusion matrices, oldest first."""


async def reported_runs(project: Project, run_ids: Iterable[str]) -> list[ReportedRun]:
    """Read what a report tells of runs: their course so far, their confusion matrices, their workflows' titles.

    Raises `NotFoundError` for a run that is not there.
    """
    titles = {flow.id: flow.title for flow in await project.workflows.list()}
    return [await _reported(project, run_id, titles) for run_id in run_ids]


def write_report(path: str | PathLike[str], *runs: ReportedRun) -> Path:
    """Write a page about runs into one file, which opens from disk, and return its path.

    Curves are thinned out and early evaluations left out where they would make the file larger than some 400 KB
    for ten runs; the page says so.

    Raises `InvalidArgumentError` for no run, `OSError` where the file cannot be written.
    """
    if not runs:
        raise InvalidArgumentError("a report is about one run at least: pass what reported_runs returned")
    file = Path(path)
    file.write_text(report_of(runs, at=time.time()), encoding="utf-8")
    return file


def report_of(runs: Iterable[ReportedRun], *, at: float) -> str:
    """Return the page about runs as they were `at` so many seconds since the Unix epoch."""
    runs = list(runs)
    titles = {each.run.flow_id: each.title for each in runs}
    cells = max(1, MOST_CELLS // len(runs))
    return page_with(
        {
            "live": False,
            "now": at,
            "runs": rows_written([Row(each.run, curve=each.curve) for each in runs], titles, values=MOST_VALUES),
            "matrices": {each.run.id: _fewer(each.matrices, cells) for each in runs},
            "evaluations": {each.run.id: len(each.matrices) for each in runs},
            "events": [],
        }
    )


async def _reported(project: Project, run_id: str, titles: dict[str, str]) -> ReportedRun:
    run = await project.runs.get(run_id)
    curve = Curve()
    async for checkpoint in project.runs.stream_logs(run_id, follow=False):
        curve.add(checkpoint)
    try:
        matrices = matrices_written(await project.runs.get_confusion_matrix(run_id))
    except NotFoundError:
        matrices = []
    return ReportedRun(run=run, title=titles.get(run.flow_id, run.flow_id), curve=curve, matrices=matrices)


def _fewer(matrices: list[dict[str, Any]], cells: int) -> list[dict[str, Any]]:
    """Keep as many evaluations as so many cells hold, evenly spread, and the last in any case."""
    if not matrices:
        return []
    most = max(1, cells // max(1, max(len(each["classes"]) for each in matrices) ** 2))
    if len(matrices) <= most:
        return matrices
    return [matrices[len(matrices) - 1 - i * len(matrices) // most] for i in reversed(range(most))]
