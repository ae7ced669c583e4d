"""The lines of docs/cli.md are typed, and come to what they say."""

from __future__ import annotations

import io
import json
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cli.nexus_thread import KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.nexus_thread import Done, NexusThread

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
LINES = [line.split(" #")[0].strip() for block in BLOCKS for line in block.splitlines()]
SERVING = "nexus-async local"
"""What is served has tests of its own."""
CODES = {"nexus-async watch --status Running": 8, "nexus-async runs start --flow 'First flow' --file": 11}
"""What does not end with 0: a watch of all runs, and one of a run that is cancelled here."""


@pytest.mark.parametrize("line", [line for line in LINES if not line.startswith(SERVING)])
def test_a_line_of_the_document_does_what_it_says(
    line: str,
    reached: NexusThread,
    command: Callable[..., Done],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.StringIO(KEY))
    monkeypatch.setattr("nexus_async.cli.runs.watching.DISCOVERY_INTERVAL", 0.2)
    setup = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
    (tmp_path / "setup.json").write_text(json.dumps(setup))
    run = reached.start(0.5) if "kill" in line or "Running" in line else reached.ended(0.5)
    reached.do(lambda: run.evaluate(1, ["cat"], [[1]]))
    run.create_date = reached.nexus.now() + 1  # it is the latest
    run._encoded = None
    if "--watch" in line:
        reached.do(lambda: reached.nexus._state.trainings._clock.call_later(0.5, lambda: cancel_all(reached)))
    words = shlex.split(re.split(r" [<>|] ", line)[0])[1:]
    done = command(*words)
    assert done.code == next((code for start, code in CODES.items() if line.startswith(start)), 0), done.err


def cancel_all(nexus: NexusThread) -> None:
    for run in nexus.nexus.runs.values():
        if not run.is_over:
            run.cancel()


def test_the_document_shows_every_command_of_runs() -> None:
    from nexus_async.cli.runs.app import runs

    shown = {word for line in LINES for word in line.split()} | {"report"}  # docs/dashboard.md has that
    assert {name for name in runs if not name.startswith("-")} <= shown
