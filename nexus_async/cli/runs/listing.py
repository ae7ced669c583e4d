"""`nexus-async runs list` and `nexus-async runs get`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, NamedTuple

from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.exits import UsageError
from nexus_async.cli.listing import Listing, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_flow, find_run_id
from nexus_async.cli.options import AS_TABLE, SEVERAL, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.choosing import warn_of_unknown
from nexus_async.cli.runs.settings import settings_of
from nexus_async.cli.times import read_moment, write_lasting, write_moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.models.run import Run


def list_runs(
    *,
    status: Annotated[
        tuple[str, ...],
        SEVERAL,
        Parameter(help="Only those that are so, such as Running; may be given again."),
    ] = (),
    flow: Annotated[str | None, Parameter(help="Only those of this workflow, by its ID or title.")] = None,
    since: Annotated[str | None, Parameter(help="Only those created since: 2d, 3h, or a date.")] = None,
    limit: Annotated[int, Parameter(name=["--limit", "-n"], help="How many at most.")] = 20,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> None:
    """List runs, the newest first.

    Such as:

      nexus-async runs list --status Running --since 2d
      nexus-async runs list --flow 'My workflow' -n 5 -o json
    """
    if limit < 1:
        raise UsageError(f"--limit {limit} shows nothing: give a number of 1 or more")
    warn_of_unknown(status)
    run_async(_list_runs(_read_filter(status, since), flow, limit, project, shown))


def get_run(run: RunName, /, *, project: ProjectOption = None, shown: Shown = AS_TABLE) -> None:
    """Show one run.

    Such as:

      nexus-async runs get @latest
      nexus-async runs get run_610ba -o json
    """
    run_async(_get_run(run, project, shown))


class _Filter(NamedTuple):
    """Which runs are listed."""

    statuses: frozenset[str]
    """In small letters; none means any."""
    since: float
    """Milliseconds since the Unix epoch."""
    flow_id: str | None = None

    def takes(self, run: Run) -> bool:
        is_of_flow = self.flow_id is None or run.flow_id == self.flow_id
        is_so = not self.statuses or run.status.overview.casefold() in self.statuses
        return is_of_flow and is_so and run.create_date >= self.since


def _read_filter(status: Sequence[str], since: str | None) -> _Filter:
    moment = None if since is None else read_moment("--since", since, now=datetime.now(UTC))
    return _Filter(frozenset(map(str.casefold, status)), moment.timestamp() * 1000 if moment else 0.0)


async def _list_runs(kept: _Filter, flow: str | None, limit: int, wanted: str | None, shown: Shown) -> None:
    async with open_project(wanted) as project:
        flows = await project.workflows.list()
        if flow is not None:
            kept = kept._replace(flow_id=find_flow(flow, flows).id)
        runs = [run for run in await project.runs.list() if kept.takes(run)]
    runs.sort(key=lambda run: run.create_date, reverse=True)
    titles = {each.id: each.title for each in flows}
    rows = [_row(run, titles) for run in runs[:limit]]
    columns = ("run", "status", "workflow", "created", "accelerator", "limit")
    show(Listing(title="Runs", columns=columns, rows=rows, found=runs[:limit], needed=2), shown)
    if len(runs) > limit:
        say(f"({limit} of {len(runs)} runs: -n {len(runs)} shows all)")


def _row(run: Run, titles: dict[str, str]) -> tuple[str, ...]:
    settings = settings_of(run)
    title = titles.get(run.flow_id, run.flow_id)
    created = write_moment(run.create_date)
    return run.id, run.status.overview, title, created, settings["accelerator"], settings["limit"]


async def _get_run(name: str, wanted: str | None, shown: Shown) -> None:
    async with open_project(wanted) as project:
        run = await project.runs.get(await find_run_id(project, name))
        titles = {flow.id: flow.title for flow in await project.workflows.list()}
    facts = {
        "run": run.id,
        "status": run.status.overview,
        "message": run.status.message,
        "workflow": titles.get(run.flow_id, run.flow_id),
        "project": run.project_id,
        "created": write_moment(run.create_date),
        "updated": write_moment(run.status.update_date),
        "lasted": write_lasting(run.create_date, run.status.update_date) if run.status.is_terminal else "",
        **settings_of(run),
        "logs": " ".join(run.log_ids),
    }
    rows = [(fact, value) for fact, value in facts.items() if value]
    show(Listing(title=f"Run {run.id}", columns=("fact", "value"), rows=rows, found=run, needed=2), shown)
