"""The examples run as they are, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nexus_async import Disconnected, FollowFailed, Reconnected

if TYPE_CHECKING:
    from nexus_async import Event

EXAMPLES = Path(__file__).parent.parent / "examples"

SAID = {
    "first_steps.py": ["Local workspace", "step  15", "Finished", "Platelets"],
    "follow_runs.py": ["is Creating", "is Running", "step  8", "Finished", "3 runs followed to their ends"],
    "resume.py": ["0 told twice; 24 checkpoints of 3 runs", "\n0 left for a third time"],
    "stop_on_condition.py": ["Cancelled at step", "better than 10 checkpoints ago"],
    "watch_projects.py": [
        "line 1: run_",
        "line 2: run_",
        "line 3: followed no more",
        "step 5",
        "Finished",
        "is over",
    ],
}

SERVICES = {"fastapi_service.py"}
"""Those that end when they are told to, with tests of their own."""


def test_every_example_is_run() -> None:
    assert SAID.keys() | SERVICES == {path.name for path in EXAMPLES.glob("*.py")}


@pytest.mark.parametrize("name", SAID)
async def test_an_example_runs_without_a_key_and_says_what_it_should(name: str) -> None:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("DATATURE_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(EXAMPLES / name),
        env=clean, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err) == (0, b"")
    assert [said for said in SAID[name] if said not in out.decode()] == []


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            FollowFailed(
                id="i", project_id="p", run_id="run_1", cursor="c", label="line 1", error="404", fatal=True
            ),
            "line 1: run_1 is given up: 404",
        ),
        (
            FollowFailed(
                id="i", project_id="p", run_id="run_1", cursor="c", label="line 1", error="500", fatal=False
            ),
            "line 1: run_1 is tried on: 500",
        ),
        (Disconnected(id="i", project_ids=("p", "q"), since=0.0, error="503"), "no answer for 2 projects: 503"),
        (Reconnected(id="i", project_ids=("p",), since=0.0, seconds=7.0), "1 projects answer again after 7 s"),
    ],
)
def test_the_example_of_several_projects_tells_what_goes_wrong(
    event: Event, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runpy.run_path(str(EXAMPLES / "watch_projects.py"))["tell"](event)
    assert capsys.readouterr().out == f"{line}\n"
