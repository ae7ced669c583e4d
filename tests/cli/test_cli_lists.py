"""`projects list`, `workflows list`, `runs list` and `runs get`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.nexus_thread import Done, NexusThread
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.usefixtures("reached")


@pytest.fixture(scope="module")
def runs(nexus: NexusThread) -> list[LocalRun]:
    """A run that is over, one that goes on, and one of another workflow: the newest last."""
    return [
        nexus.ended(0.5, accelerator={"name": "GPU_V100", "count": 2}),
        nexus.start(0.5, limit={"metric": "LIM_EPOCHS", "value": 30}),
        nexus.ended(0.5, outcome="Errored", flow=1),
    ]


def test_projects_are_listed_as_plain_lines(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("projects", "list")
    [first, second] = [line.split("\t") for line in done.lines]
    assert (first[0], first[1], second[1]) == (nexus.nexus.project_id, "Cells", "Others")
    assert (done.code, done.err) == (0, "")


def test_workflows_are_listed_with_their_titles(command: Callable[..., Done]) -> None:
    assert [line.split("\t")[1] for line in command("workflows", "list").lines] == ["First flow", "Second flow"]


@pytest.mark.parametrize("project", ["Others", "-p"])
def test_the_workflows_of_another_project_are_reached_by_its_name(
    project: str, command: Callable[..., Done]
) -> None:
    words = ["--project", "Others"] if project == "Others" else ["-p", "Others"]
    assert "First flow" not in command("workflows", "list", *words).out


def listed(command: Callable[..., Done], *words: str) -> list[str]:
    return [line.split("\t")[0] for line in command("runs", "list", *words).lines]


def test_runs_are_listed_the_newest_first(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    assert listed(command)[0] == runs[1].id
    assert set(listed(command)) == {run.id for run in runs}


def test_a_line_tells_status_workflow_time_and_settings(
    runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    line = next(line for line in command("runs", "list").lines if line.startswith(runs[0].id))
    _, status, flow, created, accelerator, limit = line.split("\t")
    assert (status, flow, accelerator, limit) == ("Finished", "First flow", "2 x GPU_V100", "")
    assert created.endswith("Z")


def test_runs_are_chosen_by_status(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    assert listed(command, "--status", "running") == [runs[1].id]
    assert set(listed(command, "--status", "Running", "--status", "Errored")) == {runs[1].id, runs[2].id}


@pytest.mark.parametrize("words", [("runs", "list"), ("watch", "--timeout", "0.1")])
def test_a_status_that_is_mistyped_is_told_with_those_that_are_known(
    words: tuple[str, ...], command: Callable[..., Done]
) -> None:
    assert (
        "no status is known as Runing; there are Creating, Running" in command(*words, "--status", "Runing").err
    )
    assert "no status is known" not in command(*words, "--status", "running").err


@pytest.mark.parametrize("name", ["Second flow", "second flow", "by its ID"])
def test_runs_are_chosen_by_workflow(
    name: str, nexus: NexusThread, runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    flow = nexus.nexus.projects[0].workflows[1].id if name == "by its ID" else name
    assert listed(command, "--flow", flow) == [runs[2].id]


def test_runs_are_chosen_by_age(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    assert listed(command, "--since", "90m") == [runs[1].id]
    assert len(listed(command, "--since", "1d")) == 3


def test_only_so_many_are_listed_and_the_rest_is_counted(
    runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    done = command("runs", "list", "-n", "1")
    assert done.out.startswith(runs[1].id)
    assert done.err == "(1 of 3 runs: -n 3 shows all)\n"


def test_a_list_is_one_json_array_of_what_the_api_said(
    runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    found: list[dict[str, Any]] = json.loads(command("runs", "list", "-o", "json").out)
    assert {run["id"] for run in found} == {run.id for run in runs}
    assert found[0]["status"]["overview"] == "Running"


def test_a_list_is_a_line_of_json_each(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    found = [json.loads(line) for line in command("runs", "list", "-o", "jsonl").lines]
    assert {run["id"] for run in found} == {run.id for run in runs}


def test_a_summary_is_appended_as_markdown(
    tmp_path: Path, runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    command("runs", "list", "--status", "Errored", "--summary", str(summary))
    before, title, _, header, rule, row, _ = summary.read_text().split("\n")[:7]
    assert (before, title) == ("before", "### Runs")
    assert (header[:10], rule[:10]) == ("| run | st", "| --- | --")
    assert row.startswith(f"| {runs[2].id.replace('_', chr(92) + '_')} | Errored | Second flow |")


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path, command: Callable[..., Done]) -> None:
    done = command("runs", "list", "--summary", str(tmp_path))
    assert done.code == 1
    assert f"cannot write --summary {tmp_path}" in done.err


def test_a_run_is_shown_with_what_it_was_started_with(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    facts = dict(line.split("\t") for line in command("runs", "get", runs[1].id).lines)
    assert facts["workflow"] == "First flow"
    assert (facts["status"], facts["accelerator"], facts["limit"]) == ("Running", "1 x GPU_T4", "30 epochs")
    assert "lasted" not in facts


def test_a_run_that_is_over_is_shown_with_how_long_it_took(
    runs: list[LocalRun], command: Callable[..., Done]
) -> None:
    facts = dict(line.split("\t") for line in command("runs", "get", runs[2].id[:12]).lines)
    assert (facts["lasted"], facts["message"]) == ("1h00m", "It Errored.")


def test_a_run_is_one_json_object(runs: list[LocalRun], command: Callable[..., Done]) -> None:
    assert json.loads(command("runs", "get", "@latest", "-o", "json").out)["id"] == runs[1].id


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["runs", "get", "run_nope"], 5, "no run 'run_nope' in the project: see nexus-async runs list"),
        (["runs", "get", "run_00000000-0000-0000-0000-000000000000"], 5, "404"),
        (["runs", "list", "--flow", "nope"], 5, "no workflow 'nope' in the project: there is flow_"),
        (["runs", "list", "--project", "nope"], 5, "no project 'nope': there are proj_"),
        (["runs", "list", "--project", "proj_0"], 4, "403"),
        (["runs", "list", "-n", "0"], 2, "--limit 0 shows nothing"),
        (["runs", "list", "--since", "soon"], 2, "--since soon is no span of time: write 90s"),
        (["runs", "list", "-o", "xml"], 2, 'Invalid value "xml" for -o. Choose from'),
        (["runs", "get"], 2, "See nexus-async runs get --help"),
        (["runs", "lst"], 2, 'Did you mean "list"?'),
        (["local", "--fault", "get:999"], 2, "from 400 to 599. See nexus-async local --help"),
        (["local", "--speed", "3"], 2, "--speed 3 is how fast a recording plays: name one with --replay"),
        (["local", "--replay", "nope.jsonl"], 2, "cannot read --replay nope.jsonl: No such file"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_the_remedy(
    words: list[str], code: int, said: str, command: Callable[..., Done]
) -> None:
    done = command(*words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1
