"""Commands as processes: pipes that close, Ctrl-C, terminals narrow and none, and what is shown of strange names."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from cli.nexus_thread import KEY, NexusThread
from cli.terminal import ESCAPES, NEXUS_ASYNC, Screen, in_terminal
from nexus_async.local import LocalProject, LocalWorkflow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVIL = "\x1b]0;gotcha\x07\x1b[31mred\u202etxt"


@pytest.fixture(scope="module")
def nexus() -> Iterator[NexusThread]:
    flows = [LocalWorkflow(title="A workflow with quite a long title"), LocalWorkflow(title=EVIL)]
    with NexusThread(projects=[LocalProject(name="Cells", workflows=flows)]) as nexus:
        yield nexus


def in_pipe(nexus: NexusThread, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NEXUS_ASYNC, *words],
        capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
        env={**os.environ, **nexus.environment, **environment},
    )  # fmt: skip


def on_screen(nexus: NexusThread, *words: str, columns: int = 80, **environment: str) -> Screen:
    return in_terminal(*words, environment={**nexus.environment, **environment}, columns=columns)


def test_a_reader_that_has_enough_ends_a_command_without_a_word(nexus: NexusThread) -> None:
    run = nexus.ended(*(1 / step for step in range(1, 5000)))
    words = shlex.join([*NEXUS_ASYNC, "runs", "export", run.id, "--to", "jsonl"])
    done = subprocess.run(
        ["sh", "-c", f"{words} | head -1"],
        capture_output=True, timeout=60, check=False, env={**os.environ, **nexus.environment},
    )  # fmt: skip
    assert (done.stderr, len(done.stdout.splitlines())) == (b"", 1)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_leads_nowhere(closed: str, nexus: NexusThread) -> None:
    run = nexus.ended(0.5)
    words = shlex.join([*NEXUS_ASYNC, "watch", run.id, "--interval", "0.1"])
    done = subprocess.run(
        ["sh", "-c", f"{words} {closed}"],
        capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **nexus.environment},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == (0 if " >&-" in f" {closed}" else 2)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_watch_that_is_interrupted_ends_with_130_and_goes_on_next_time(
    ending: signal.Signals, tmp_path: Path, nexus: NexusThread
) -> None:
    run, state = nexus.start(0.5), str(tmp_path / "state.db")
    words = ["watch", run.id, "--state", state, "--interval", "0.1", "-o", "jsonl"]
    watch = subprocess.Popen(
        [*NEXUS_ASYNC, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **nexus.environment},
    )
    with watch:
        assert watch.stdout
        assert [b"Checkpoint" in watch.stdout.readline() for _ in range(2)] == [False, True]
        watch.send_signal(ending)
        _, said = watch.communicate(timeout=30)
    assert (watch.returncode, said) == (130, b"")
    nexus.do(run.finish)
    assert '"RunEnded"' in in_pipe(nexus, *words).stdout


def test_a_watch_in_the_background_of_a_script_ends_when_it_is_told_to(nexus: NexusThread) -> None:
    run = nexus.start(0.5)
    watch = subprocess.Popen(
        ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *NEXUS_ASYNC, "watch", run.id, "-o", "jsonl"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, **nexus.environment},
    )
    with watch:
        assert watch.stdout
        watch.stdout.readline()
        watch.send_signal(signal.SIGTERM)
        _, said = watch.communicate(timeout=30)
    nexus.do(run.finish)
    assert (watch.returncode, said) == (130, b"")


def test_an_interrupted_live_table_gives_the_cursor_back(nexus: NexusThread) -> None:
    run = nexus.start(0.5)
    shown = in_terminal(
        "watch", run.id, "--interval", "0.1",
        environment=nexus.environment, until="0.5000", then=lambda process: process.send_signal(signal.SIGINT),
    )  # fmt: skip
    assert shown.code == 130
    assert shown.raw.rindex("\x1b[?25h") > shown.raw.rindex("\x1b[?25l")
    assert "Traceback" not in shown.raw


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        (["runs", "list"], ["run", "status"]),
        (["runs", "get", "@latest"], ["fact", "value"]),
        (["runs", "compare", "@latest"], ["run", "best", "last"]),
        (["projects", "list"], ["id", "name"]),
        (["workflows", "list"], ["id", "title"]),
        (["whoami"], ["fact", "value"]),
    ],
)
def test_a_terminal_of_forty_columns_is_kept_to_and_still_tells_something(
    words: list[str], columns: list[str], nexus: NexusThread
) -> None:
    nexus.ended(0.5)
    shown = on_screen(nexus, *words, columns=40)
    assert shown.code == 0
    tables = [line for line in shown.lines if not line.startswith("(too narrow")]
    assert max(map(len, tables)) <= 40
    assert shown.lines[0].split()[: len(columns)] == columns


def test_a_live_table_keeps_to_forty_columns(nexus: NexusThread) -> None:
    run = nexus.ended(0.5)
    shown = on_screen(nexus, "watch", run.id, "--interval", "0.1", columns=40)
    assert shown.code == 0
    assert max(map(len, shown.lines)) <= 40
    assert any(line.startswith(run.id[:12]) and "Finished" in line for line in shown.lines)


def test_a_terminal_is_shown_a_table_with_colours(nexus: NexusThread) -> None:
    nexus.ended(0.5, outcome="Errored")
    shown = on_screen(nexus, "runs", "list", columns=160)
    assert shown.lines[0].split() == ["run", "status", "workflow", "created", "accelerator", "limit"]
    assert "\x1b[1;31mErrored" in shown.raw


@pytest.mark.parametrize("words", [["runs", "list"], ["runs", "matrix"]])
def test_a_pipe_gets_plain_lines_even_where_colours_are_forced(words: list[str], nexus: NexusThread) -> None:
    run = nexus.ended(0.5)
    nexus.do(lambda: run.evaluate(3, ["cat", "dog"], [[8, 1], [2, 9]]))
    words = [*words, run.id] if "matrix" in words else words
    assert in_pipe(nexus, *words, FORCE_COLOR="1").stdout == in_pipe(nexus, *words).stdout


def test_there_are_no_colours_where_none_are_wanted(nexus: NexusThread) -> None:
    nexus.ended(0.5, outcome="Errored")
    shown = on_screen(nexus, "runs", "list", columns=160, NO_COLOR="1")
    assert "Errored" in shown.raw
    assert "[1;31m" not in shown.raw
    assert "31m" not in shown.raw


def test_without_a_terminal_nothing_is_drawn(nexus: NexusThread) -> None:
    nexus.ended(0.5)
    done = in_pipe(nexus, "runs", "list", "-n", "1000")
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert all(line.count("\t") == 5 for line in done.stdout.splitlines())


@pytest.mark.parametrize("words", [["workflows", "list"], ["watch", "@latest", "--interval", "0.1"]])
def test_a_name_is_never_obeyed_by_the_terminal(words: list[str], nexus: NexusThread) -> None:
    run = nexus.ended(0.5, flow=1)
    raw = on_screen(nexus, *(run.id if word == "@latest" else word for word in words), columns=200).raw
    assert not [code for code in ("\x1b]0;", "\x07", "\u202e") if code in raw]


def test_a_name_is_never_obeyed_behind_a_pipe_either(nexus: NexusThread) -> None:
    assert "\\x1b]0;gotcha\\x07\\x1b[31mred\\u202etxt" in in_pipe(nexus, "workflows", "list").stdout
    assert "\u202e" not in in_pipe(nexus, "workflows", "list", "-o", "json").stdout


def test_a_stream_that_lacks_a_character_is_written_all_the_same(nexus: NexusThread) -> None:
    done = in_pipe(nexus, "--help", PYTHONIOENCODING="ascii")
    assert (done.returncode, "completion" in done.stdout) == (0, True)
    told = in_pipe(nexus, "runs", "get", "r\u00fcn", PYTHONIOENCODING="ascii")
    assert (told.returncode, "no run 'r\\xfcn'" in told.stderr) == (5, True)


def test_a_matrix_is_a_heat_map_that_goes_on_below_where_it_is_wide(nexus: NexusThread) -> None:
    run = nexus.ended(0.5)
    names = [f"class-{i}" for i in range(9)]
    nexus.do(lambda: run.evaluate(1, names, [[int(i == j) * 9 for j in range(9)] for i in range(9)]))
    shown = on_screen(nexus, "runs", "matrix", run.id, "--no-background", columns=60)
    assert max(map(len, shown.lines[1:])) <= 60
    assert sum(line.startswith("predicted") for line in shown.lines) > 1
    assert "48;5;" in shown.raw  # cells have a background


def test_a_kill_is_asked_for_on_the_terminal(nexus: NexusThread) -> None:
    run = nexus.start()
    words, asked = ("runs", "kill", run.id), f"Kill {run.id} for good? [y/N]"
    refused = in_terminal(*words, environment=nexus.environment, columns=160, until=asked, typed="n\n")
    assert (refused.code, run.overview) == (1, "Creating")
    agreed = in_terminal(*words, environment=nexus.environment, columns=160, until=asked, typed="y\n")
    assert (agreed.code, run.overview) == (0, "Cancelled")


def test_login_asks_for_the_key_on_the_terminal_and_does_not_show_it(tmp_path: Path, nexus: NexusThread) -> None:
    file = tmp_path / "config.yaml"
    shown = in_terminal(
        "login",
        environment={**nexus.environment, "DATATURE_SECRET_KEY": "", "DATATURE_SDK_CONFIG": str(file)},
        until="Secret key: ", typed=f"{KEY}\n",
    )  # fmt: skip
    assert shown.code == 0
    assert file.exists()
    assert "Logged in to Local workspace" in " ".join(shown.lines)


def test_an_error_is_one_line_and_shows_where_it_comes_from_on_request(nexus: NexusThread) -> None:
    plain = in_pipe(nexus, "runs", "list", DATATURE_API_BASE_URL="http://127.0.0.1:9")
    assert (plain.returncode, len(plain.stderr.splitlines()), plain.stdout) == (1, 1, "")
    told = in_pipe(nexus, "runs", "list", "--debug", DATATURE_API_BASE_URL="http://127.0.0.1:9")
    assert "Traceback (most recent call last)" in told.stderr
    assert told.stderr.endswith(plain.stderr.splitlines()[0][-40:] + "\n")


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_the_live_table_is_drawn_in_a_real_terminal(tmp_path: Path, nexus: NexusThread) -> None:
    run = nexus.start(0.5, 0.25, limit={"metric": "LIM_EPOCHS", "value": 4})
    tmux = ["tmux", "-S", str(tmp_path / "tmux"), "-f", "/dev/null"]
    words = shlex.join([*NEXUS_ASYNC, "watch", run.id, "--interval", "0.1"])
    subprocess.run(
        [*tmux, "new-session", "-d", "-x", "160", "-y", "20", f"{words}; echo ended $?; sleep 60"],
        check=True, env={**os.environ, **nexus.environment},
    )  # fmt: skip
    try:
        screen = seen(tmux, "0.2500")
        assert screen.splitlines()[0].split() == [
            "run", "workflow", "status", "done", "step", "loss", "best", "age", "size",
        ]  # fmt: skip
        assert "50%" in screen
        assert "1 followed" in screen
        nexus.do(lambda: run.checkpoint(3, totalLoss=0.125))
        nexus.do(run.finish)
        screen = seen(tmux, "ended 0")
        assert screen.count(run.id[:12]) == 1  # it was drawn over itself
        assert "0.1250" in screen
    finally:
        subprocess.run([*tmux, "kill-server"], check=True)


def seen(tmux: list[str], text: str) -> str:
    """Wait until a text stands on the screen, and return all of that."""
    for _ in range(200):
        screen = subprocess.run([*tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout
        if text in screen:
            return screen
        time.sleep(0.1)
    raise AssertionError(screen)


def test_a_local_nexus_lasts_as_long_as_a_command_and_passes_its_code_on() -> None:
    asked = (
        "nexus-async projects list"
        if shutil.which("nexus-async")
        else shlex.join([*NEXUS_ASYNC, "projects", "list"])
    )
    done = subprocess.run(
        [*NEXUS_ASYNC, "local", "--trainer", "curves", "--exec", f"{asked} && echo $DATATURE_PROJECT && exit 7"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    first, _, project = done.stdout.splitlines()
    assert (done.returncode, done.stderr, first.split("\t")[0]) == (7, "", project)


def test_a_command_beside_a_local_nexus_is_ended_with_it() -> None:
    local = subprocess.Popen(
        [*NEXUS_ASYNC, "local", "--trainer", "curves", "--exec", "echo ready; exec sleep 60"],
        stdout=subprocess.PIPE,
    )
    with local:
        assert local.stdout
        local.stdout.readline()
        local.terminate()
        assert local.wait(30) == 128 + signal.SIGTERM


def test_help_comes_without_anything_that_a_command_needs() -> None:
    code = (
        "import sys; from nexus_async.cli.app import run; run(['--help']); print([*sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "watch" in done.stdout
    assert not [
        name for name in ("aiohttp", "msgspec", "yaml", "rich.live", "asyncio") if f"'{name}'" in done.stderr
    ]


def test_the_colours_of_runs_differ(nexus: NexusThread) -> None:
    first, second = nexus.start(0.5), nexus.start(0.5)
    raw = on_screen(nexus, "logs", first.id, second.id).raw
    colours = {raw[: raw.index(run.id[:12])].rsplit("\x1b", 1)[-1] for run in (first, second)}
    assert len(colours) == 2
    assert ESCAPES.search(raw)


def test_a_recording_is_played_as_fast_as_was_asked(tmp_path: Path, nexus: NexusThread) -> None:
    run, now, file = nexus.start(), nexus.nexus.now(), str(tmp_path / "run.jsonl")
    nexus.do(lambda: run.checkpoint(1, time=now, totalLoss=0.5))
    nexus.do(lambda: run.checkpoint(2, time=now + 7_200_000, totalLoss=0.25))
    nexus.do(run.finish)
    assert in_pipe(nexus, "runs", "record", run.id, file).returncode == 0
    itself = shlex.join(NEXUS_ASYNC)
    flow = f"$({itself} workflows list | head -1 | cut -f1)"
    played = f"{itself} runs start --flow {flow} --gpu GPU_T4 && {itself} wait @latest --timeout 20s"
    done = in_pipe(nexus, "local", "--replay", file, "--speed", "72000", "--exec", played)
    assert (done.returncode, "\tFinished\t" in done.stdout) == (0, True), done.stderr
