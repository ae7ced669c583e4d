"""`nexus-async runs export`."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from nexus_async.cli.console import write_json
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import ProjectOption, RunName  # noqa: TC001 - cyclopts reads the annotations
from nexus_async.cli.project import open_project
from nexus_async.cli.visible import visible
from nexus_async.events import Checkpoint, encode_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nexus_async.resources.project import Project


def export(
    *run: RunName,
    to: Annotated[Literal["csv", "jsonl"], Parameter(help="CSV, or the events as lines of JSON.")],
    project: ProjectOption = None,
) -> None:
    """Write the checkpoints of runs so far to standard output.

    As CSV there is a column for each metric of any of them; the time is in UTC.

    Such as:

      nexus-async runs export run_610ba run_91c2f --to csv > runs.csv
      nexus-async runs export @latest --to jsonl | jq .metrics.totalLoss
    """
    run_async(_export_csv(run, project) if to == "csv" else _export_json(run, project))


async def _export_json(names: tuple[str, ...], wanted: str | None) -> None:
    async with open_project(wanted) as project:
        async for checkpoint in _checkpoints(project, await find_run_ids(project, names)):
            write_json(encode_event(checkpoint))


async def _export_csv(names: tuple[str, ...], wanted: str | None) -> None:
    async with open_project(wanted) as project:
        run_ids = await find_run_ids(project, names)
        checkpoints = [each async for each in _checkpoints(project, run_ids)]
    metrics = list(dict.fromkeys(name for each in checkpoints for name in each.metrics))
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(["run", "step", "time", *map(visible, metrics)])
    for each in checkpoints:
        time = each.at.isoformat().replace("+00:00", "Z") if each.at else ""
        table.writerow([each.run_id, each.step, time, *(each.metrics.get(name, "") for name in metrics)])


async def _checkpoints(project: Project, run_ids: list[str]) -> AsyncIterator[Checkpoint]:
    for run_id in run_ids:
        async for checkpoint in project.runs.stream_logs(run_id, follow=False):
            yield checkpoint
