"""`nexus-async runs kill`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nexus_async.cli.asking import ask_to
from nexus_async.cli.console import say
from nexus_async.cli.exits import DONE, code_of
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_runs
from nexus_async.cli.options import AS_TABLE, FLAG, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.outcomes import show_outcomes
from nexus_async.errors import NexusError

if TYPE_CHECKING:
    from nexus_async.models.run import Run
    from nexus_async.resources.project import Project


def kill(
    *run: RunName,
    yes: Annotated[bool, FLAG, Parameter(name=["--yes", "-y"], help="Do not ask.")] = False,
    wait: Annotated[bool, FLAG, Parameter(help="Wait until they are over.")] = False,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> int:
    """Kill runs, for good: they cannot be resumed, and their progress is lost.

    One that cannot be killed keeps none of the others from it.

    Such as:

      nexus-async runs kill @latest
      nexus-async runs kill run_610ba run_91c2f --yes --wait
    """
    run_ids = run_async(find_runs(run, project))
    if not yes:
        ask_to(f"kill {', '.join(run_ids)} for good")  # with no loop around it, so that Ctrl-C works
    return run_async(_kill(run_ids, project, shown, wait=wait))


async def _kill(run_ids: list[str], wanted: str | None, shown: Shown, *, wait: bool) -> int:
    async with open_project(wanted) as project:
        killed, code = await _kill_each(project, run_ids)
        if wait and killed:
            killed = await project.runs.wait([each.id for each in killed])
    show_outcomes("Killed", killed, shown)
    return code


async def _kill_each(project: Project, run_ids: list[str]) -> tuple[list[Run], int]:
    """Kill runs; return those that were, and the code of the first failure."""
    killed: list[Run] = []
    code = DONE
    for run_id in run_ids:
        try:
            killed.append(await project.runs.kill(run_id))
        except NexusError as failure:
            say(f"nexus-async: {failure}")
            code = code or code_of(failure)
    return killed, code
