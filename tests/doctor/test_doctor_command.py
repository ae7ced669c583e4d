"""`nexus-async doctor` as a process: what it prints where, and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from nexus_async.config import ENDPOINT_VARIABLE, SECRET_KEY_VARIABLE
from nexus_async.local import CurveTrainer, LocalNexus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def nexus() -> AsyncIterator[LocalNexus]:
    async with LocalNexus(CurveTrainer(steps=3, speed=1000)) as nexus:
        await nexus.start_run().wait_over()
        yield nexus


async def doctor(nexus: LocalNexus, *options: str, key: str | None = None) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "nexus_async", "doctor", *options,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        env={**os.environ, ENDPOINT_VARIABLE: nexus.url, SECRET_KEY_VARIABLE: key or nexus.secret_key},
    )  # fmt: skip
    out, said = await process.communicate()
    return process.returncode, out.decode(), said.decode()


async def test_the_report_is_markdown_on_stdout(nexus: LocalNexus) -> None:
    code, out, said = await doctor(nexus)
    assert (code, said) == (0, "")
    assert out.startswith("# nexus-async doctor\n\n0 broken, ")
    assert "\n## Shapes\n- ok: " in out


async def test_the_report_is_json_for_machines(nexus: LocalNexus) -> None:
    code, out, _ = await doctor(nexus, "--json", "--project", nexus.projects[1].id)
    report = json.loads(out)
    assert (code, report["exit_code"]) == (0, 0)
    assert report["sections"][-1]["title"] == "Shapes"
    assert "0 runs" in out


async def test_a_refused_key_ends_with_4_and_is_not_shown(nexus: LocalNexus) -> None:
    code, out, said = await doctor(nexus, key="wrong-key-0815")
    assert code == 4
    assert "The key is refused" in out
    assert "0815" not in out + said


async def test_an_active_run_is_looked_at_again_after_as_long_as_was_asked(nexus: LocalNexus) -> None:
    nexus.start_run(setup={"limit": {"metric": "LIM_NONE", "value": 0}})
    await nexus.close()
    code, _, said = await doctor(nexus, "--wait", "-1")
    assert (code, said) == (2, "nexus-async: wait=-1.0 is no number above zero\n")
