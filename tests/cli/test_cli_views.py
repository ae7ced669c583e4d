"""How a feed is shown while it goes on."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import pty
import subprocess
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from cli.cli_models import a_run, an_added
from cli.terminal import ESCAPES, NEXUS_ASYNC
from nexus_async import (
    CaughtUp,
    Disconnected,
    Event,
    FollowFailed,
    LogReset,
    Reconnected,
    RunEnded,
    RunRemoved,
    decode_event,
)
from nexus_async.cli.board import Board
from nexus_async.cli.live import LiveTable
from nexus_async.cli.views import Both, remark_on

if TYPE_CHECKING:
    from cli.nexus_thread import NexusThread
    from nexus_async import Project

OF_RUN = {"project_id": "p", "run_id": "run_0123456789", "id": "i", "cursor": "c"}


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (Disconnected(id="i", project_ids=("p",), since=0.0, error="503"), "Nexus does not answer: 503"),
        (Reconnected(id="i", project_ids=("p",), since=0.0, seconds=61.2), "Nexus answers again, after 61 s"),
        (FollowFailed(**OF_RUN, error="404", fatal=True), "run_01234567 is gone: 404"),
        (FollowFailed(**OF_RUN, error="503", fatal=False), "run_01234567 cannot be followed for now: 503"),
        (
            LogReset(**OF_RUN, log_id="l", read=9, recognized=2, resumes_at=3),
            "run_01234567 had its log cut or rewritten: it is read on from entry 3",
        ),
        (RunRemoved(**OF_RUN), "run_01234567 is followed no more"),
        (
            RunEnded(**OF_RUN, run=a_run(), outcome="Finished", drained=False),
            "run_01234567 is over, and its logs still grew: they are left",
        ),
        (RunEnded(**OF_RUN, run=a_run(), outcome="Finished", drained=True), None),
        (CaughtUp(id="i"), None),
    ],
)
def test_people_are_told_what_no_table_shows(event: Event, told: str | None) -> None:
    assert remark_on(event) == told


class Shown(io.StringIO):
    @property
    def text(self) -> str:
        return ESCAPES.sub("", self.getvalue())


async def test_the_live_table_shows_remarks_and_warnings_below_the_runs(project: Project) -> None:
    board, shown = Board(), Shown()
    board.take(an_added(a_run()))
    console = Console(file=shown, force_terminal=True, width=80, height=20)
    async with (
        project.runs.watch() as feed,
        LiveTable(board, feed, console=console, clock=lambda: 0.0) as live,
    ):
        live.show(FollowFailed(**OF_RUN, error="503", fatal=False))
        logging.getLogger("nexus_async.streaming").warning("something odd")
        logging.getLogger("nexus_async.streaming").info("nothing to speak of")
        live.draw()
    lines = shown.text.splitlines()
    assert "run_01234567 cannot be followed for now: 503" in lines
    assert "something odd" in lines
    assert "0 followed, 0.0 requests/s, 0 B/s" in lines
    assert "nothing to speak of" not in shown.text


async def test_the_live_table_is_drawn_anew_by_itself(project: Project) -> None:
    board, shown = Board(), Shown()
    console = Console(file=shown, force_terminal=True, width=80, height=20)
    async with project.runs.watch() as feed, LiveTable(board, feed, console=console):
        board.take(an_added(a_run("run_later")))
        async with asyncio.timeout(10):
            while "run_later" not in shown.text:  # noqa: ASYNC110 - a drawing sets no event
                await asyncio.sleep(0)


class Recorder:
    def __init__(self) -> None:
        self.told: list[object] = []

    async def __aenter__(self) -> Recorder:  # noqa: PYI034 - a fake
        self.told.append("begun")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.told.append("ended")

    def show(self, event: Event) -> None:
        self.told.append(event)


async def test_two_views_are_shown_the_same() -> None:
    first, second, event = Recorder(), Recorder(), CaughtUp(id="i")
    async with Both(first, second) as both:
        both.show(event)
    assert first.told == second.told == ["begun", event, "ended"]


def test_the_table_is_drawn_while_the_events_go_to_a_file(nexus: NexusThread) -> None:
    run = nexus.ended(0.5)
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [*NEXUS_ASYNC, "watch", run.id, "--interval", "0.1", "-o", "jsonl"],
        stdout=subprocess.PIPE, stderr=theirs, timeout=60, check=True, env={**os.environ, **nexus.environment},
    )  # fmt: skip
    drawn = os.read(ours, 65536).decode()
    os.close(ours)
    os.close(theirs)
    assert [type(decode_event(line)).__name__ for line in done.stdout.splitlines()][-1] == "RunEnded"
    assert run.id[:12] in drawn
