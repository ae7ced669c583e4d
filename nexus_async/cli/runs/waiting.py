"""`nexus-async runs wait`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.exits import code_of_outcomes
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import AS_TABLE, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.outcomes import show_outcomes
from nexus_async.cli.times import read_span

if TYPE_CHECKING:
    from nexus_async.models.run import Run
    from nexus_async.resources.project import Project


def wait(
    *run: RunName,
    first: Annotated[
        bool,
        Parameter(
            name="--any",
            show_default=False,
            negative="--all",
            help="Until the first of them is over, or all of them.",
        ),
    ] = False,
    timeout: Annotated[str | None, Parameter(help="How long at most: 90s, 30m, 2h.")] = None,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> int:
    """Wait for runs to be over, by their status alone.

    Ends with 0 where they are Finished, 10 where one is Errored, 11 where one is
    Cancelled, 8 where they are still running at the timeout.

    Such as:

      nexus-async wait @latest --timeout 2h
      nexus-async wait run_610ba run_91c2f --any -o json
    """
    seconds = None if timeout is None else read_span("--timeout", timeout)
    return run_async(_wait(run, project, shown, seconds=seconds, first_only=first))


async def _wait(
    names: tuple[str, ...], wanted: str | None, shown: Shown, *, seconds: float | None, first_only: bool
) -> int:
    ended: list[Run] = []
    async with open_project(wanted) as project:
        run_ids = await find_run_ids(project, names)
        try:
            await _collect(project, run_ids, ended, seconds=seconds, enough=1 if first_only else len(run_ids))
        finally:
            show_outcomes("Waited for", ended, shown)
    return code_of_outcomes(run.status.overview for run in ended)


async def _collect(
    project: Project, run_ids: list[str], ended: list[Run], *, seconds: float | None, enough: int
) -> None:
    """Wait until so many of the runs are over."""
    async for run in project.runs.as_completed(run_ids, timeout=seconds):
        ended.append(run)
        say(f"{run.id} is {run.status.overview} ({len(ended)} of {len(run_ids)})")
        if len(ended) >= enough:
            return
