"""`nexus-async doctor`: does Nexus answer as this release expects?"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.loop import run_async
from nexus_async.cli.options import FLAG
from nexus_async.cli.project import open_client
from nexus_async.doctor import Report, examine
from nexus_async.doctor.examination import WAIT


def doctor(
    *,
    project: Annotated[
        str | None,
        Parameter(
            name=["--project", "-p"],
            help="The one project to look into, by its ID or name. By default the first five of the workspace.",
        ),
    ] = None,
    wait: Annotated[float, Parameter(help="Seconds between two looks at an active run.")] = WAIT,
    json: Annotated[bool, FLAG, Parameter(help="Print JSON in place of Markdown.")] = False,
) -> int:
    """Tell whether Nexus answers as this release expects, fit for a bug report.

    Reads and changes nothing: every request is a GET. The report holds no key, no
    whole ID, no name of a project, a user or a class, and no metric's value.

    Exits with 0 where everything could be told, with 1 where something is broken,
    and with 4 where there is no key or it is refused.

    Such as:

      nexus-async doctor
      nexus-async doctor --wait 120 --json > report.json
    """
    report = run_async(_examine(project, wait))
    print(report.json() if json else report.markdown(), end="", flush=True)  # noqa: T201 - stdout is for the report
    return report.exit_code


async def _examine(project: str | None, wait: float) -> Report:
    async with open_client(project) as client:
        return await examine(client, project=project, wait=wait, say=say)
