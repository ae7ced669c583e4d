"""`nexus-async runs record`."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.exits import UsageError
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_id
from nexus_async.cli.options import FLAG, ProjectOption, RunName
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.following import GoneError
from nexus_async.events import FollowFailed, RunEnded, encode_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterable
    from typing import BinaryIO

    from nexus_async.events import Event


def record(
    run: RunName,
    file: Annotated[Path, Parameter(name="FILE", help="What to write.")],
    /,
    *,
    force: Annotated[bool, FLAG, Parameter(help="Write over a file that is there.")] = False,
    project: ProjectOption = None,
) -> None:
    """Record a run from its first entry to its end: a line of JSON for each event.

    `nexus-async local --replay FILE` and ReplayTrainer play it. Ctrl-C ends a
    recording early, and leaves what came until then.

    Such as:

      nexus-async runs record @latest run.jsonl
    """
    run_id = run_async(_find(run, project))
    try:
        with file.open("wb" if force else "xb") as recording:
            run_async(_record(run_id, project, recording))
    except FileExistsError:
        raise UsageError(f"{file} is there already: choose another name, or pass --force") from None


async def _find(name: str, wanted: str | None) -> str:
    """Return the ID of a run that is there. Raises `NotFoundError` before any file is made."""
    async with open_project(wanted) as project:
        return (await project.runs.get(await find_run_id(project, name))).id


async def _record(run_id: str, wanted: str | None, recording: BinaryIO) -> None:
    async with (
        open_project(wanted) as project,
        project.runs.watch([run_id], stop_when_all_ended=True) as feed,
    ):
        await write_all(feed, recording)


async def write_all(feed: AsyncIterable[Event], recording: BinaryIO) -> None:
    """Write each event on a line. Raises `GoneError` where the run is gone."""
    count = 0
    async for event in feed:
        if isinstance(event, FollowFailed) and event.fatal:
            raise GoneError([event.run_id])
        recording.write(encode_event(event) + b"\n")
        recording.flush()
        count += 1
        if isinstance(event, RunEnded):
            say(f"Recorded {count} events of {event.run_id}, which is {event.outcome}")
