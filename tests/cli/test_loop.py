"""The event loop of the command line, as a process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import nexus_async
from nexus_async.cli.loop import run_async

if TYPE_CHECKING:
    import pytest

SHOWN = {**os.environ, "NEXUS_ASYNC_LOG": "debug"}
WITHOUT_UVLOOP = (
    "import sys; sys.modules['uvloop'] = None; from nexus_async.__main__ import main; sys.exit(main())"
)


def log_of_serving(*python: str) -> str:
    """Serve a local Nexus until it answers, and return what it said on stderr."""
    served = subprocess.Popen(
        [sys.executable, *python, "local", "--trainer", "curves"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=SHOWN,
    )  # fmt: skip
    with served:
        assert served.stdout
        served.stdout.readline()
        served.send_signal(signal.SIGINT)
        _, said = served.communicate(timeout=60)
    assert served.returncode == 0
    return said


def test_the_command_line_runs_on_uvloop_where_the_extra_is_installed() -> None:
    assert "nexus_async.cli: the event loop is uvloop" in log_of_serving("-m", "nexus_async")


def test_the_command_line_runs_on_the_loop_of_asyncio_without_the_extra() -> None:
    assert "nexus_async.cli: the event loop is asyncio's own" in log_of_serving("-c", WITHOUT_UVLOOP)


def test_a_command_really_runs_on_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # the handlers of this process stay as they are

    async def loop() -> str:
        return type(asyncio.get_running_loop()).__module__

    assert run_async(loop()) == "uvloop"


def test_every_command_runs_on_that_loop() -> None:
    folder = Path(nexus_async.__file__).parent / "cli"
    own = {file.name for file in folder.glob("*.py") if "asyncio.run(" in file.read_text()}
    assert own == set(), "run_async of cli/loop.py starts a command's loop"
