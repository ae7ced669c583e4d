"""`wait`, and the exit codes that tell how runs ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.nexus_thread import Done, NexusThread

pytestmark = pytest.mark.usefixtures("reached")


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["Finished"], 0),
        (["Finished", "Errored"], 10),
        (["Finished", "Cancelled"], 11),
        (["Cancelled", "Errored"], 10),
    ],
)
def test_the_exit_code_tells_how_runs_ended(
    outcomes: list[str], code: int, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    runs = [nexus.ended(outcome=outcome) for outcome in outcomes]
    done = command("wait", *(run.id for run in runs))
    assert done.code == code
    assert [line.split("\t") for line in done.lines] == [
        [run.id, outcome, "1h00m", f"It {outcome}."] for run, outcome in zip(runs, outcomes, strict=True)
    ]


def test_each_end_is_told_as_it_comes(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.ended()
    assert command("runs", "wait", run.id[:12]).err == f"{run.id} is Finished (1 of 1)\n"


def test_the_first_to_end_is_enough_where_any_is_asked_for(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    running, failed = nexus.start(), nexus.ended(outcome="Errored")
    done = command("wait", running.id, failed.id, "--any", "-o", "json")
    assert (done.code, [run["id"] for run in json.loads(done.out)]) == (10, [failed.id])


@pytest.mark.parametrize("words", [[], ["--all"]])
def test_all_are_waited_for_until_the_timeout(
    words: list[str], nexus: NexusThread, command: Callable[..., Done]
) -> None:
    running, over = nexus.start(), nexus.ended()
    done = command("wait", running.id, over.id, "--timeout", "0.3", *words)
    assert done.code == 8
    assert f"not over after 0.3 s: {running.id} is Creating. Wait again" in done.err
    assert [line.split("\t")[0] for line in done.lines] == [over.id]


def test_a_summary_of_the_ends_is_written(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    command("wait", nexus.ended().id, "--summary", str(tmp_path / "s.md"))
    assert "| Finished | 1h00m | It Finished. |" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "which run? Name one by its ID, the beginning of it, or @latest"),
        ([""], 2, "which run?"),
        (["x", "--timeout", "0"], 2, "--timeout 0 is no span of time"),
        (["nope"], 5, "no run 'nope'"),
    ],
)
def test_what_cannot_be_waited_for_is_told(
    words: list[str], code: int, said: str, command: Callable[..., Done]
) -> None:
    done = command("wait", *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
