"""`nexus-async runs logs`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from nexus_async.cli.console import PipedConsole, say, styled, write_line
from nexus_async.cli.drawing import number, short
from nexus_async.cli.exits import DONE, UsageError
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import AS_TABLE, COUNT, FLAG, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.following import GoneError
from nexus_async.cli.times import read_moment
from nexus_async.cli.views import JsonArray, JsonLines, remark_on
from nexus_async.cli.visible import visible
from nexus_async.events import CaughtUp, Checkpoint, FollowFailed, LogEntry, RunEnded, encode_plain

if TYPE_CHECKING:
    from typing import Self

    from nexus_async.cli.views import View
    from nexus_async.events import Event
    from nexus_async.streaming import Feed

_COLOURS: Final = ("cyan", "green", "magenta", "yellow", "blue", "bright_cyan", "bright_green", "bright_magenta")


def logs(
    *run: RunName,
    follow: Annotated[bool, FLAG, Parameter(name=["--follow", "-f"], help="Go on until they are over.")] = False,
    since: Annotated[str | None, Parameter(help="Only what is younger: 90s, 2h, or a date.")] = None,
    tail: Annotated[int | None, COUNT, Parameter(help="Only the last so many lines of each run.")] = None,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> None:
    """Print what runs log, each line after the run that it is of.

    Such as:

      nexus-async logs @latest -f
      nexus-async logs run_610ba run_91c2f --since 1h
      nexus-async logs @latest --tail 5 -o jsonl
    """
    if shown.summary is not None:
        raise UsageError("logs have no summary: leave --summary out, watch has one")
    moment = None if since is None else read_moment("--since", since, now=datetime.now(UTC))
    run_async(_logs(run, project, shown, follow=follow, since=moment, tail=tail))


async def _logs(
    names: tuple[str, ...],
    wanted: str | None,
    shown: Shown,
    *,
    follow: bool,
    since: datetime | None,
    tail: int | None,
) -> int:
    view = _view(shown)
    async with open_project(wanted) as project:
        run_ids = await find_run_ids(project, names)
        feed = project.runs.watch(run_ids, since=since, tail=tail, stop_when_all_ended=True, caught_up=not follow)
        async with feed, view:
            await _show_all(feed, view)
    return DONE


async def _show_all(feed: Feed, view: View) -> None:
    """Show what is there, or all to the end. Raises `GoneError` after that, where runs are gone."""
    gone: list[str] = []
    async for event in feed:
        if isinstance(event, CaughtUp):
            break
        if isinstance(event, FollowFailed) and event.fatal:
            gone.append(event.run_id)
        view.show(event)
    if gone:
        raise GoneError(gone)


def _view(shown: Shown) -> View:
    match shown.output:
        case "json":
            return JsonArray()
        case "jsonl":
            return JsonLines()
        case _:
            return Prefixed()


class Prefixed:
    """Write each entry as lines, after the run that it is of; each run has a colour of its own."""

    def __init__(self) -> None:
        self._console = PipedConsole()
        self._prefixes: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing to be done."""

    def show(self, event: Event) -> None:
        """Write an entry; tell people of what befell the log."""
        match event:
            case Checkpoint() | LogEntry():
                prefix = self._prefix(event.run_id)
                for line in text_of(event).splitlines():
                    write_line(f"{prefix} {visible(line)}")
            case RunEnded():
                say(f"{short(event.run_id)} is {event.outcome}: {event.run.status.message}")
            case _:
                if (told := remark_on(event)) is not None:
                    say(told)

    def _prefix(self, run_id: str) -> str:
        if run_id not in self._prefixes:
            colour = _COLOURS[len(self._prefixes) % len(_COLOURS)]
            self._prefixes[run_id] = styled(short(visible(run_id)), colour, self._console)
        return self._prefixes[run_id]


def text_of(entry: Checkpoint | LogEntry) -> str:
    """Return the line that a training printed, or one made of what it tells."""
    match entry:
        case Checkpoint(message=str(message)):
            return message
        case Checkpoint():
            metrics = ", ".join(f"{name}: {number(value)}" for name, value in entry.metrics.items())
            return f"Step {entry.step}, {metrics}"
        case _:
            payload = "" if entry.payload is None else encode_plain(entry.payload).decode()
            return f"{entry.ev or 'entry'} {payload}"
