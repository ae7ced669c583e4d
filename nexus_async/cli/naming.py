"""Finding runs and workflows by what people call them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nexus_async.cli.exits import CommandError, NoSuchError, UsageError
from nexus_async.cli.project import open_project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.models.run import Run
    from nexus_async.models.workflow import Workflow
    from nexus_async.resources.project import Project

LATEST: Final = "@latest"
_WHOLE_ID: Final = re.compile(r"run_([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24,32})")
_MOST_LISTED: Final = 10


async def find_run_ids(project: Project, names: Sequence[str]) -> list[str]:
    """Return the IDs of runs, each named by its ID, a unique beginning of it, or `@latest`.

    The runs are listed once, and only where an ID is not whole. Raises `UsageError` where nothing is named,
    `NoSuchError` for a name that no run goes by, `CommandError` for one that several do.
    """
    if not names or not all(names):
        raise UsageError(f"which run? Name one by its ID, the beginning of it, or {LATEST}")
    runs = [] if all(map(_WHOLE_ID.fullmatch, names)) else await project.runs.list()
    found = [name if _WHOLE_ID.fullmatch(name) else find_run(name, runs).id for name in names]
    return list(dict.fromkeys(found))


async def find_runs(names: Sequence[str], wanted: str | None) -> list[str]:
    """Return the IDs of runs of the chosen project; see `find_run_ids`."""
    async with open_project(wanted) as project:
        return await find_run_ids(project, names)


async def find_run_id(project: Project, name: str) -> str:
    """Return the ID of one run; see `find_run_ids`."""
    return (await find_run_ids(project, [name]))[0]


def find_run(name: str, runs: Sequence[Run]) -> Run:
    """Return the run that goes by a name."""
    if name == LATEST:
        return _latest(runs)
    matching = [run for run in runs if run.id == name]
    matching = matching or [run for run in runs if run.id.startswith((name, f"run_{name}"))]
    if not matching:
        raise NoSuchError(f"no run {name!r} in the project: see nexus-async runs list")
    if len(matching) > 1:
        listed = [f"{run.id} ({run.status.overview})" for run in matching]
        raise CommandError(f"{name!r} is the beginning of {len(matching)} runs: {_among(listed)}")
    return matching[0]


def _latest(runs: Sequence[Run]) -> Run:
    if not runs:
        raise NoSuchError(f"no run is {LATEST}: the project has none")
    return max(runs, key=lambda run: run.create_date)


def find_flow(name: str, flows: Sequence[Workflow]) -> Workflow:
    """Return the workflow of that ID or title. Raises `NoSuchError`, or `CommandError` where several have it."""
    matching = [flow for flow in flows if flow.id == name]
    matching = matching or [flow for flow in flows if flow.title == name]
    matching = matching or [flow for flow in flows if flow.title.casefold() == name.casefold()]
    if not matching:
        known = _among([f"{flow.id} ({flow.title})" for flow in flows]) or "none"
        raise NoSuchError(f"no workflow {name!r} in the project: there is {known}")
    if len(matching) > 1:
        listed = [f"{flow.id} ({flow.title})" for flow in matching]
        raise CommandError(
            f"{name!r} is the title of {len(matching)} workflows: choose by ID among {_among(listed)}"
        )
    return matching[0]


def _among(listed: Sequence[str]) -> str:
    more = len(listed) - _MOST_LISTED
    return ", ".join(listed[:_MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
