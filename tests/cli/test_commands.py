"""The command line as a process, and the demonstration in this one."""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from nexus_async import Checkpoint, Client, FixedInterval
from nexus_async.cli.app import run
from nexus_async.cli.demo import Demo, next_commands

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NEXUS_ASYNC = [sys.executable, "-m", "nexus_async"]


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NEXUS_ASYNC, *words],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@asynccontextmanager
async def serving(*options: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, str]]]:
    """Serve a local Nexus from the command line; give what it exports."""
    process = await asyncio.create_subprocess_exec(
        *NEXUS_ASYNC, "local", *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        lines = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode() for _ in range(2)]
        yield process, dict(re.findall(r"^export (\w+)=(\S+)$", "".join(lines), re.MULTILINE))
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_local_prints_two_lines_that_point_a_client_at_it() -> None:
    async with serving("--trainer", "curves") as (_, exported):
        assert exported.keys() == {"DATATURE_API_BASE_URL", "DATATURE_SECRET_KEY"}
        async with client_of(exported) as client:
            assert (await client.get_info()).name == "Local workspace"


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_local_ends_without_a_word_when_it_is_told_to(ending: signal.Signals) -> None:
    async with serving() as (process, _):
        process.send_signal(ending)
        out, err = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, out) == (0, b"")
        assert b"Traceback" not in err


def client_of(exported: dict[str, str]) -> Client:
    return Client(exported["DATATURE_SECRET_KEY"], endpoint=exported["DATATURE_API_BASE_URL"])


async def trained(client: Client) -> list[Checkpoint]:
    """Train the first workflow of the first project."""
    project = (await client.list_projects())[0]
    flow = (await project.workflows.list())[0]
    setup = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
    run = await project.runs.start(flow.id, setup)
    return [c async for c in project.runs.stream_logs(run.id, pacing=FixedInterval(0.1), settle=0.05)]


async def test_the_options_of_local_are_heeded() -> None:
    options = ("--trainer", "curves", "--steps", "2", "--interval", "0.01", "--seed", "5")
    async with serving(*options) as (_, exported), client_of(exported) as client:
        assert [c.step for c in await trained(client)] == [1, 2]


async def test_the_seed_of_local_decides_its_ids() -> None:
    ids = []
    for seed in ("5", "5", "6"):
        async with serving("--seed", seed) as (_, exported), client_of(exported) as client:
            ids.append((await client.list_projects())[0].id)
    assert ids[0] == ids[1] != ids[2]


async def test_local_trains_digits_where_it_can() -> None:
    async with serving("--interval", "0.01", "--steps", "1") as (_, exported), client_of(exported) as client:
        checkpoints = await trained(client)
        assert [c.metrics.keys() for c in checkpoints] == [{"totalLoss", "trainLoss", "accuracy"}]


def test_digits_that_cannot_be_trained_are_refused_before_anything_is_served(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert run(["local", "--trainer", "digits"]) == 1
    assert "needs scikit-learn: pip install '.[demo]' in a clone" in capsys.readouterr().err


async def test_local_listens_on_the_port_that_it_is_given() -> None:
    async with serving() as (_, exported):
        port = exported["DATATURE_API_BASE_URL"].rpartition(":")[2]
        refused = command("local", "--port", port)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "Traceback" not in refused.stderr
        assert port in refused.stderr


@pytest.mark.parametrize("words", [["no-such"], ["local", "--no-such"], ["local", "--port", "x"]])
def test_a_mistake_in_usage_ends_with_2_and_says_what_it_is(words: list[str]) -> None:
    done = command(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[-1] in done.stderr
    assert "Traceback" not in done.stderr


def test_help_names_the_commands() -> None:
    done = command("--help")
    assert done.returncode == 0
    assert "demo" in done.stdout
    assert "local" in done.stdout


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", command("--version").stdout)


@pytest.mark.parametrize("missing", ["cyclopts", "rich"])
def test_without_its_extra_the_command_line_says_what_to_install(missing: str, tmp_path: Path) -> None:
    hidden = (
        f"import sys; sys.modules[{missing!r}] = None; from nexus_async.__main__ import main; sys.exit(main())"
    )
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert missing in done.stderr
    assert "pip install '.[cli]'" in done.stderr


def test_a_demo_that_nobody_reads_on_ends_without_a_word() -> None:
    demo = subprocess.Popen([*NEXUS_ASYNC, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with demo:
        assert demo.stdout
        assert demo.stderr
        assert "A local Nexus answers" in demo.stdout.readline()
        demo.stdout.close()
        assert (demo.stderr.read(), demo.wait(60)) == ("", 1)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_demo_that_is_interrupted_ends_with_130_and_without_a_word(ending: signal.Signals) -> None:
    demo = subprocess.Popen([*NEXUS_ASYNC, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with demo:
        assert demo.stdout
        demo.stdout.readline()
        demo.send_signal(ending)
        _, said = demo.communicate(timeout=60)
        assert (demo.returncode, said) == (130, "")


def test_outside_of_a_clone_the_demo_names_no_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not [typed for typed, _ in next_commands() if "examples" in typed]
    assert len(next_commands()) == 3


def holds(path: str, text: str) -> bool:
    return text in Path(path).read_text(encoding="utf-8")


async def demonstrated(console: Console) -> str:
    await Demo(console, steps=25, step_seconds=0.02).run()
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


async def test_the_demo_without_a_terminal_writes_plain_lines() -> None:
    said = await demonstrated(Console(file=io.StringIO(), width=80))
    assert re.search(r"diverges \(loss .*\): killed", said)
    assert re.search(r"Least squares, too fast  Cancelled  step", said)
    assert len(re.findall(r"  Finished  step 25  ", said)) == 5
    assert re.search(r"is right on 9\d\.\d% of digits", said)
    assert "predicted \\ true" in said
    [report] = re.findall(r"^/.*report\.html$", said, re.MULTILINE)
    assert holds(report, "Least squares, too fast")
    assert [line for line in said.splitlines() if line.startswith("  ")][-3:] == [
        f"  {typed:<42} {what}" for typed, what in next_commands()
    ]
    assert "\x1b" not in said


async def test_the_demo_in_a_terminal_draws_a_table() -> None:
    said = await demonstrated(Console(file=io.StringIO(), width=100, force_terminal=True))
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said)
    assert re.search(r"run_\w{8}\s+Perceptron 32\s+Finished\s+25\s+0\.\d+\s+0\.\d+\s+[▁-█]+\s+\d+s", plain)
    assert "killed" in plain
