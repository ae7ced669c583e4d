"""`nexus-async runs compare`."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

from nexus_async.cli.board import METRIC
from nexus_async.cli.console import say
from nexus_async.cli.curve import Curve
from nexus_async.cli.drawing import number
from nexus_async.cli.listing import Listing, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import AS_TABLE, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.settings import settings_of
from nexus_async.cli.times import seconds_between, write_span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.models.history import RunHistory
    from nexus_async.models.run import Run
    from nexus_async.resources.project import Project


class _Compared(NamedTuple):
    run: Run
    workflow: str
    history: RunHistory
    curve: Curve

    @property
    def seconds(self) -> float | None:
        """Return how long it took, or has taken so far; None where that is not known."""
        is_over = self.run.status.is_terminal
        return seconds_between(
            self.run.create_date, self.run.status.update_date if is_over else round(time.time() * 1000)
        )


def compare(
    *run: RunName,
    metric: Annotated[str, Parameter(help="What best and last are of.")] = METRIC,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> None:
    """Compare runs: the best of a metric and its last, how long they took, and what they were started with.

    Less is better of a metric whose name speaks of a loss or an
    error, more of any other.

    Such as:

      nexus-async runs compare run_610ba run_91c2f
      nexus-async runs compare run_610ba @latest --metric accuracy --summary "$GITHUB_STEP_SUMMARY"
    """
    compared = run_async(_compare(run, metric, project))
    _warn_of_unknown(metric, compared)
    title = f"Comparison by {metric}"
    rows = [_row(each) for each in compared]
    columns = ("run", "best", "last", "steps", "took", "status", "workflow", *_SETTINGS)
    found = [_found(each, metric) for each in compared]
    show(Listing(title=title, columns=columns, rows=rows, found=found, needed=3), shown)


_SETTINGS = ("accelerator", "limit", "strategy", "metric", "evaluation")


def _warn_of_unknown(metric: str, compared: Sequence[_Compared]) -> None:
    names = dict.fromkeys(name for each in compared for name in each.history.metrics)
    if names and metric not in names:
        say(f"nexus-async: no run has a metric {metric}: pass --metric with one of {', '.join(names)}")


async def _compare(names: tuple[str, ...], metric: str, wanted: str | None) -> list[_Compared]:
    async with open_project(wanted) as project:
        run_ids = await find_run_ids(project, names)
        titles = {flow.id: flow.title for flow in await project.workflows.list()}
        return await asyncio.gather(*(_look_at(project, run_id, metric, titles) for run_id in run_ids))


async def _look_at(project: Project, run_id: str, metric: str, titles: dict[str, str]) -> _Compared:
    run, history = await asyncio.gather(project.runs.get(run_id), project.runs.history(run_id))
    curve = Curve(metric)
    for value in history.metrics.get(metric, []):
        curve.add(value)
    return _Compared(run, titles.get(run.flow_id, run.flow_id), history, curve)


def _row(compared: _Compared) -> tuple[str, ...]:
    settings = settings_of(compared.run)
    return (
        compared.run.id,
        number(compared.curve.best),
        number(compared.curve.last),
        str(compared.history.steps[-1]) if compared.history.steps else "",
        "" if compared.seconds is None else write_span(compared.seconds),
        compared.run.status.overview,
        compared.workflow,
        *(settings[name] for name in _SETTINGS),
    )


def _found(compared: _Compared, metric: str) -> dict[str, object]:
    return {
        "run": compared.run,
        "workflow": compared.workflow,
        "metric": metric,
        "best": compared.curve.best,
        "last": compared.curve.last,
        "steps": compared.history.steps[-1] if compared.history.steps else None,
        "seconds": compared.seconds,
    }
