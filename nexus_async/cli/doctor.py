"""`nexus-async doctor`: does Nexus answer as this release expects?"""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from nexus_async.cli.loop import run_async
from nexus_async.cli.project import open_client
from nexus_async.doctor import Report, examine
from nexus_async.doctor.examination import WAIT


def doctor(
    *,
    project: Annotated[
        str | None, Parameter(help="The ID of the one project to look into; else the workspace's first five.")
    ] = None,
    wait: Annotated[float, Parameter(help="Seconds between two looks at an active run.")] = WAIT,
    json: Annotated[bool, Parameter(help="Print JSON in place of markdown.", negative="")] = False,
) -> int:
    """Tell whether Nexus answers as this release expects, in a report that is fit to be pasted anywhere.

    Reads and changes nothing: every request is a GET. The report holds no key, no whole ID, no name of a project,
    a user or a class, and no metric's value. Exits with 0 where everything could be told, with 1 where something
    is broken, and with 4 where the key is refused.
    """
    report = run_async(_examine(project, wait))
    print(report.json() if json else report.markdown(), end="", flush=True)  # noqa: T201 - stdout is for the report
    return report.exit_code


async def _examine(project: str | None, wait: float) -> Report:
    async with open_client(project) as client:
        return await examine(client, project_id=project, wait=wait, say=_say)


def _say(text: str) -> None:
    print(f"nexus-async: {text}", file=sys.stderr, flush=True)  # noqa: T201 - beside the report
