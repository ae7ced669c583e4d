"""`nexus-async runs watch`."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from nexus_async.cli.board import METRIC, Board
from nexus_async.cli.cells import cells_of
from nexus_async.cli.curve import title_of
from nexus_async.cli.listing import Listing, append_summary, markdown_of
from nexus_async.cli.live import LiveTable
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_run_ids
from nexus_async.cli.options import AS_TABLE, FLAG, SEVERAL, SPAN, ProjectOption, RunName, Shown
from nexus_async.cli.project import open_project
from nexus_async.cli.runs.choosing import Choice, warn_of_unknown
from nexus_async.cli.runs.following import Limits, follow
from nexus_async.cli.times import read_span
from nexus_async.cli.views import Both, JsonArray, JsonLines, Lines
from nexus_async.config import DISCOVERY_INTERVAL, SETTLE
from nexus_async.pacing import FixedInterval

if TYPE_CHECKING:
    from nexus_async.cli.views import View
    from nexus_async.resources.project import Project
    from nexus_async.streaming import Feed

_SUMMED_UP: Final = ("run", "workflow", "status", "step", "loss", "best")


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Watched:
    """Which runs are watched, and until when."""

    status: Annotated[
        tuple[str, ...],
        SEVERAL,
        Parameter(help="Only runs that are so, such as Running; may be given again."),
    ] = ()
    where: Annotated[
        tuple[str, ...],
        SEVERAL,
        Parameter(
            help="Only runs with FIELD=VALUE or FIELD!=VALUE, as in accelerator=GPU_T4.", show_default=False
        ),
    ] = ()
    metric: Annotated[str, Parameter(help="What the columns loss, best and the curve show.")] = METRIC
    fail_fast: Annotated[bool, FLAG, Parameter(help="End with the first run that does not finish.")] = False
    timeout: Annotated[str | None, Parameter(help="How long at most: 90s, 30m, 2h.")] = None
    idle_timeout: Annotated[str | None, Parameter(help="How long at most without anything new.")] = None
    state: Annotated[
        str | None, Parameter(help="Keep in this file how far each run was read, and go on from there.")
    ] = None
    interval: Annotated[
        float | None,
        SPAN,
        Parameter(help="Ask every so many seconds, rather than by each run's own rhythm."),
    ] = None

    def limits(self) -> Limits:
        """Return when watching ends before the runs do. Raises `UsageError`."""
        return Limits(
            timeout=None if self.timeout is None else read_span("--timeout", self.timeout),
            idle_timeout=None if self.idle_timeout is None else read_span("--idle-timeout", self.idle_timeout),
            fail_fast=self.fail_fast,
        )


AS_EVER: Final = Watched()


def watch(
    *run: RunName,
    watched: Watched = AS_EVER,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> int:
    """Follow runs in a live table: those named, else all that are not over, and new ones.

    Where standard output is no terminal, each checkpoint is a line; with -o jsonl
    each event is one, and the table is drawn where standard error is a terminal.

    The ETA is told by a limit in minutes, else by earlier runs of the workflow
    with the same limit and accelerator, else by a limit in epochs, which are
    taken for steps.

    Ends with 0 where the runs are Finished, 10 where one is Errored, 11 where one
    is Cancelled, 8 at a timeout.

    Such as:

      nexus-async watch
      nexus-async watch @latest --timeout 2h --fail-fast
      nexus-async watch --status Running --where accelerator=GPU_T4 --state watch.db
      nexus-async watch -o jsonl > events.jsonl
    """
    limits, choice = watched.limits(), Choice(watched.status, watched.where)
    warn_of_unknown(watched.status)
    return run_async(watch_runs(run, watched, limits=limits, choice=choice, project=project, shown=shown))


async def watch_runs(
    names: tuple[str, ...],
    watched: Watched,
    *,
    limits: Limits,
    choice: Choice,
    project: str | None,
    shown: Shown,
) -> int:
    """Watch runs; return the exit code."""
    async with open_project(project) as opened:
        run_ids = await find_run_ids(opened, names) if names else None
        board = await _board(opened, watched.metric)
        choice.titles = board.titles
        async with _feed(opened, run_ids, watched, choice) as feed:
            try:
                return await follow(feed, board, _view(board, feed, shown), limits)
            finally:
                if shown.summary is not None:
                    append_summary(shown.summary, markdown_of(_summary(board)))


async def _board(project: Project, metric: str) -> Board:
    flows, runs = await asyncio.gather(project.workflows.list(), project.runs.list())
    board = Board(metric=metric, runs={run.id: run for run in runs})
    board.titles.update((flow.id, flow.title) for flow in flows)
    return board


def _feed(project: Project, run_ids: list[str] | None, watched: Watched, choice: Choice) -> Feed:
    interval = watched.interval
    return project.runs.watch(
        run_ids,
        where=choice,
        store=watched.state,
        stop_when_all_ended=run_ids is not None,
        pacing=None if interval is None else FixedInterval(interval),
        discovery_interval=DISCOVERY_INTERVAL if interval is None else interval,
        settle=SETTLE if interval is None else min(SETTLE, interval),
    )


def _view(board: Board, feed: Feed, shown: Shown) -> View:
    """Choose what standard output gets, and whether the table is drawn beside it."""
    is_read, is_seen = sys.stdout.isatty(), sys.stderr.isatty()
    if shown.output == "table":
        return LiveTable(board, feed) if is_read and is_seen else Lines(board)
    data: View = JsonLines() if shown.output == "jsonl" else JsonArray()
    return data if is_read or not is_seen else Both(data, LiveTable(board, feed))


def _summary(board: Board) -> Listing:
    cells = [cells_of(row, board, now=row.time or 0.0) for row in board.rows.values()]
    rows = [tuple(row[name] for name in _SUMMED_UP) for row in cells]
    columns = tuple(title_of(board.metric) if name == "loss" else name for name in _SUMMED_UP)
    return Listing(title="Runs watched", columns=columns, rows=rows, found=[])
