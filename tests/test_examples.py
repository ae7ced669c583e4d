"""The examples run as they are, each in a process of its own."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

SAID = {
    "first_steps.py": ["Local workspace", "step  15", "Finished", "Platelets"],
    "follow_runs.py": ["step  8", "Finished", "3 runs followed to their ends"],
    "stop_on_condition.py": ["Cancelled at step", "better than 10 checkpoints ago"],
}


def test_every_example_is_run() -> None:
    assert SAID.keys() == {path.name for path in EXAMPLES.glob("*.py")}


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
