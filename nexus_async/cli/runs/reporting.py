"""`nexus-async runs report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from nexus_async.cli.console import say, write_line
from nexus_async.cli.exits import CommandError
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import ProjectOption, RunName  # noqa: TC001 - cyclopts reads the annotations
from nexus_async.cli.project import open_project
from nexus_async.dashboard.report import reported_runs, write_report


def report(
    *run: RunName,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="The file to write.")] = Path("report.html"),
    project: ProjectOption = None,
) -> None:
    """Write a page about runs into one file, which opens from disk in any browser.

    It has their curves and confusion matrices, and loads nothing from elsewhere. A
    file that is there already is replaced. The path is printed.

    Such as:

      nexus-async runs report @latest
      nexus-async runs report run_610ba run_91c2f -o comparison.html
    """
    run_async(_report(run, output, project))


async def _report(names: tuple[str, ...], output: Path, wanted: str | None) -> None:
    async with open_project(wanted) as project:
        runs = await reported_runs(project, await find_run_ids(project, names))
    try:
        path = write_report(output, *runs)
    except OSError as failure:
        raise CommandError(f"cannot write {output}: {failure.strerror}") from None
    write_line(str(path))
    say(f"A report of {_count(len(runs))}, {path.stat().st_size / 1000:.0f} KB: open it in a browser.")


def _count(runs: int) -> str:
    return "one run" if runs == 1 else f"{runs} runs"
