"""`nexus-async local --fault`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cli.test_commands import client_of, serving
from nexus_async import ServerError


async def test_the_faults_of_the_command_line_befall_what_they_name() -> None:
    options = (
        "--trainer",
        "curves",
        "--fault",
        "client.get_info:502",
        "--fault",
        "client.list_projects:503:times=2",
    )
    async with serving(*options) as (_, exported), client_of(exported) as client:
        with pytest.raises(ServerError) as caught:
            await client.get_info()
        assert (caught.value.status, caught.value.attempts) == (502, 3)
        assert len(await client.list_projects()) == 2


def test_a_fault_that_cannot_be_read_is_a_mistake_in_usage_that_is_explained() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nexus_async", "local", "--fault", "get:503", "--fault", "get_logs:50x"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    said = " ".join(done.stderr.replace("│", " ").split())
    assert 'Invalid value "get_logs:50x" for --fault' in said
    assert "'50x' is no kind of fault" in said
    assert "blackhole, latency, trickle" in said
