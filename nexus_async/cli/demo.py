"""`nexus-async demo`: the main job, for real, on this machine and in under a minute."""

from __future__ import annotations

import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio
from rich.live import Live

from nexus_async.cli.board import Board, Row, diverges
from nexus_async.cli.board_table import BoardTable
from nexus_async.cli.console import PipedConsole
from nexus_async.cli.drawing import checkpoint_line, matrix_table, number, short
from nexus_async.cli.loop import run_async
from nexus_async.client import Client
from nexus_async.dashboard.report import reported_runs, write_report
from nexus_async.events import Checkpoint, RunEnded
from nexus_async.local import DigitsTrainer, LocalNexus
from nexus_async.models.setup import AcceleratorSetup, CheckpointSetup, RunSetup
from nexus_async.pacing import FixedInterval

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.table import Table

    from nexus_async.resources.project import Project

STEPS: Final = 50
STEP_SECONDS: Final = 0.5
POLL_SECONDS: Final = 0.5
REQUESTS_PER_SECOND: Final = 50
"""A Nexus on this machine may be asked more often: six runs every half second, and what the end of each takes."""
LINE_EVERY: Final = 5
"""Checkpoints of a run for one plain line, where there is no terminal."""

SETUP: Final = RunSetup(
    accelerator=AcceleratorSetup(name="GPU_T4"),
    checkpoint=CheckpointSetup(strategy="STRAT_ALWAYS_SAVE_LATEST", evaluation_interval=10),
    advanced_evaluation=True,
)


def demo() -> None:
    """Train six small models for real on a local Nexus, follow them all, and kill the one that diverges.

    Nothing leaves this machine, and no key is read.
    """
    if find_spec("sklearn") is None:
        raise ModuleNotFoundError(
            "the demo needs scikit-learn: install the package with its extra, as in pip install '.[demo]' "
            "in a clone"
        )
    run_async(Demo(PipedConsole()).run())


class Demo:
    """Run the demonstration on a console."""

    def __init__(self, console: Console, *, steps: int = STEPS, step_seconds: float = STEP_SECONDS) -> None:
        self._console = console
        self._trainer = DigitsTrainer(steps=steps, step_seconds=step_seconds)
        self._board = Board()
        self._killed: set[str] = set()

    async def run(self) -> None:
        """Start six trainings, follow them to their ends, and show what came of it."""
        async with (
            LocalNexus(self._trainer) as nexus,
            Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=REQUESTS_PER_SECOND) as client,
        ):
            self._say(
                f"A local Nexus answers at {nexus.url}. Six real trainings start; nothing leaves this machine."
            )
            project = client.get_project(nexus.project_id)
            await self._start(project)
            await self._show_all(project, clock=lambda: nexus.now() / 1000)
            await self._conclude(project)

    async def _start(self, project: Project) -> None:
        for flow in await project.workflows.list():
            self._board.titles[flow.id] = flow.title
            await project.runs.start(flow.id, SETUP)

    async def _show_all(self, project: Project, *, clock: Callable[[], float]) -> None:
        if not self._console.is_terminal:
            await self._follow_all(project)
            return
        with Live(console=self._console, auto_refresh=False) as live:
            async with anyio.create_task_group() as group:
                group.start_soon(self._redraw, live, clock)
                await self._follow_all(project)
                group.cancel_scope.cancel()
            self._draw(live, clock)

    async def _redraw(self, live: Live, clock: Callable[[], float]) -> None:
        while True:
            if self._board.rows:
                self._draw(live, clock)
            await anyio.sleep(0.2)

    def _draw(self, live: Live, clock: Callable[[], float]) -> None:
        live.update(BoardTable(self._board, now=clock(), width=self._console.width), refresh=True)

    async def _follow_all(self, project: Project) -> None:
        async with project.runs.watch(
            stop_when_all_ended=True,
            pacing=FixedInterval(POLL_SECONDS),
            discovery_interval=POLL_SECONDS,
            settle=POLL_SECONDS,
        ) as feed:
            async for event in feed:
                self._board.take(event)
                match event:
                    case Checkpoint():
                        self._print_now_and_then(self._board.rows[event.run_id])
                        await self._kill_where_it_diverges(project, self._board.rows[event.run_id])
                    case RunEnded():
                        self._print_end(self._board.rows[event.run_id])

    async def _kill_where_it_diverges(self, project: Project, row: Row) -> None:
        if row.run_id in self._killed or not diverges(row):
            return
        self._killed.add(row.run_id)
        await project.runs.kill(row.run_id)
        self._remark(f"{short(row.run_id)} diverges (loss {number(row.loss)}, best {number(row.best)}): killed")

    async def _conclude(self, project: Project) -> None:
        best = self._board.most_accurate()
        if best is not None:
            matrix = (await project.runs.get_confusion_matrix(best.run_id)).latest.without_background()
            self._say(
                f"\nThe most accurate, {best.workflow}, is right on {best.accuracy:.1%} of digits "
                f"it has never seen. Its confusion matrix at step {matrix.evaluation}:"
            )
            self._show(matrix_table(matrix))
        await self._report(project)
        self._say("\nNext:")
        for command, what in next_commands():
            self._console.print(f"  {command:<42} {what}", markup=False, highlight=False, soft_wrap=True)

    async def _report(self, project: Project) -> None:
        path = Path(tempfile.mkdtemp(prefix="nexus-async-")) / "report.html"
        write_report(path, *await reported_runs(project, self._board.rows))
        self._say("\nTheir report, one file that opens in any browser:")
        self._console.print(str(path), markup=False, highlight=False, soft_wrap=True)

    def _show(self, table: Table) -> None:
        """Print a table whole or not at all: one that lacks columns would say what is not so."""
        needed = self._console.measure(table, options=self._console.options.update(width=1000)).maximum
        if self._console.is_terminal and needed > self._console.width:
            self._say(f"(it needs {needed} columns, and this terminal has {self._console.width})")
            return
        self._console.print(table, width=needed, crop=False)

    def _remark(self, text: str) -> None:
        self._board.remarks.append(text)
        if not self._console.is_terminal:
            self._say(text)

    def _print_now_and_then(self, row: Row) -> None:
        if not self._console.is_terminal and row.curve.count % LINE_EVERY == 1:
            self._say(checkpoint_line(row))

    def _print_end(self, row: Row) -> None:
        if not self._console.is_terminal:
            self._say(checkpoint_line(row))

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=not self._console.is_terminal)


def next_commands() -> list[tuple[str, str]]:
    """Return three commands worth trying next, as they are typed from here, and what each does."""
    here = Path(sys.argv[0])
    itself = str(here) if here.name == "nexus-async" and here.parent.name == "bin" else "nexus-async"
    python = str(here.with_name("python")) if itself != "nexus-async" else "python"
    if not Path("examples/first_steps.py").exists():
        return [
            (f"{itself} local", "a local Nexus of your own, for any client"),
            (f"{itself} local --trainer curves", "one that draws curves, ten thousand runs of them if need be"),
            (f"{python} -m pydoc nexus_async.Client", "how to use it"),
        ]
    return [
        (f"{itself} local", "a local Nexus of your own, for any client"),
        (f"{python} examples/first_steps.py", "list, start, follow, evaluate: in 30 lines"),
        (f"{python} examples/follow_runs.py", "a service that follows every run"),
    ]
