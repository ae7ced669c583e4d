"""`runs start` and `runs kill`."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from nexus_async.cli.asking import ask_to
from nexus_async.cli.exits import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.nexus_thread import Done, NexusThread

pytestmark = pytest.mark.usefixtures("reached")
SETUP = {
    "accelerator": {"name": "GPU_L4", "count": 3},
    "checkpoint": {"strategy": "STRAT_EVERY_N_EPOCH", "evaluation_interval": 7},
}


def test_a_run_is_started_and_its_id_printed(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("runs", "start", "--flow", "Second flow", "--gpu", "GPU_T4")
    run = nexus.nexus.run(done.out.strip())
    assert (done.code, done.err) == (0, "")
    assert (run.workflow.title, run.execution.accelerator.name) == ("Second flow", "GPU_T4")
    assert run.execution.checkpoint.strategy == "STRAT_ALWAYS_SAVE_LATEST"


def test_the_run_that_was_started_is_one_json_object(command: Callable[..., Done]) -> None:
    done = command("runs", "start", "--flow", "First flow", "--gpu", "GPU_T4", "-o", "json")
    assert json.loads(done.out)["execution"]["accelerator"] == {"name": "GPU_T4", "count": 1}


def test_a_setup_is_read_from_a_file_and_the_option_has_the_last_word(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    (tmp_path / "setup.json").write_text(json.dumps(SETUP))
    done = command(
        "runs", "start", "--flow", "First flow", "--file", str(tmp_path / "setup.json"), "--gpu", "GPU_T4"
    )
    execution = nexus.nexus.run(done.out.strip()).execution
    assert (execution.accelerator.name, execution.accelerator.count) == ("GPU_T4", 3)
    assert execution.checkpoint.evaluation_interval == 7


def test_a_setup_is_read_from_standard_input(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(SETUP).encode())))
    done = command("runs", "start", "--flow", "First flow", "--file", "-")
    assert nexus.nexus.run(done.out.strip()).execution.accelerator.name == "GPU_L4"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "what to train on? Pass --gpu"),
        (["--file", "nope.json"], 2, "cannot read --file nope.json: No such file"),
        (["--file", __file__], 2, "is no JSON object"),
        (["--gpu", ""], 2, "name is empty: give an accelerator"),
    ],
)
def test_a_setup_that_is_none_starts_nothing(
    words: list[str], code: int, said: str, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    before = len(nexus.nexus.runs)
    done = command("runs", "start", "--flow", "First flow", *words)
    assert (done.code, done.out, len(nexus.nexus.runs)) == (code, "", before)
    assert said in done.err


def test_runs_are_killed_where_that_was_agreed_to(nexus: NexusThread, command: Callable[..., Done]) -> None:
    first, second = nexus.start(), nexus.start()
    done = command("runs", "kill", first.id, second.id, "--yes")
    assert (done.code, [run.overview for run in (first, second)]) == (0, ["Cancelled", "Cancelled"])
    assert [line.split("\t")[:2] for line in done.lines] == [[first.id, "Cancelled"], [second.id, "Cancelled"]]


def test_without_a_terminal_nothing_is_killed_unasked(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start()
    done = command("runs", "kill", run.id)
    assert (done.code, run.overview) == (2, "Creating")
    assert done.err == f"nexus-async: there is no terminal to ask on: pass --yes to kill {run.id} for good\n"


def test_a_run_that_cannot_be_killed_keeps_none_of_the_others_from_it(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    gone, run = "run_00000000-0000-0000-0000-000000000000", nexus.start()
    done = command("runs", "kill", gone, run.id, "--yes")
    assert (done.code, run.overview) == (5, "Cancelled")
    assert "404" in done.err


def test_what_was_killed_is_waited_for(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start()
    done = command("runs", "kill", run.id, "--yes", "--wait", "-o", "json")
    assert done.code == 0
    assert [each["status"]["overview"] for each in json.loads(done.out)] == ["Cancelled"]


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--wait",), 5)])
def test_only_who_waits_asks_for_a_run_after_killing_it(
    options: tuple[str, ...], code: int, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run = nexus.start()
    fault = nexus.do(lambda: nexus.nexus.faults.add_text("get:404"))
    done = command("runs", "kill", run.id, "--yes", *options)
    nexus.do(fault.remove)
    assert (done.code, run.overview) == (code, "Cancelled")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer", ["y\n", "YES\n"])
def test_yes_is_an_answer(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Terminal()
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", asked)
    ask_to("kill run_1")
    assert asked.getvalue() == "Kill run_1? [y/N] "


@pytest.mark.parametrize("answer", ["\n", "n\n", "", "yeah\n"])
def test_anything_else_is_no(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    monkeypatch.setattr("sys.stderr", Terminal())
    with pytest.raises(CommandError, match="nothing was done"):
        ask_to("kill run_1")
