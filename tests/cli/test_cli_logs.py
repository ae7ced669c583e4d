"""`logs`, `matrix`, `compare`, `export` and `record`."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from cli.cli_models import a_checkpoint
from nexus_async import FollowFailed, decode_event
from nexus_async.cli.runs.following import GoneError
from nexus_async.cli.runs.recording import write_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from cli.nexus_thread import Done, NexusThread
    from nexus_async import Event
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.usefixtures("reached")

NOT_THERE = "run_00000000-0000-0000-0000-000000000000"


def test_each_line_stands_after_its_run(nexus: NexusThread, command: Callable[..., Done]) -> None:
    first, second = nexus.ended(0.5), nexus.start(0.25)
    done = command("logs", first.id, second.id)
    assert sorted(done.lines) == sorted(
        [
            f"{first.id[:12]} Step 1, totalLoss: 5.0000E-01.",
            f"{second.id[:12]} Step 1, totalLoss: 2.5000E-01.",
        ]
    )
    assert done.code == 0


def test_any_other_entry_is_printed_too(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start()
    nexus.do(lambda: run.log("note", {"loss": "NaN"}))
    nexus.do(lambda: run.log("bare"))
    nexus.do(lambda: run.checkpoint(3, message="two\nlines"))
    short = run.id[:12]
    assert command("logs", run.id).lines == [
        f'{short} note {{"loss":"NaN"}}', f"{short} bare ", f"{short} two", f"{short} lines",
    ]  # fmt: skip


def test_only_the_last_lines_are_printed_where_that_is_asked_for(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run = nexus.ended(0.5, 0.4, 0.3)
    assert [line.split()[2] for line in command("logs", run.id, "--tail", "2").lines] == ["2,", "3,"]


def test_only_what_is_young_enough_is_printed(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start()
    now = nexus.nexus.now()
    nexus.do(lambda: run.checkpoint(1, time=now - 7_200_000))
    nexus.do(lambda: run.checkpoint(2, time=now))
    assert [line.split()[2] for line in command("logs", run.id, "--since", "1h").lines] == ["2."]


def test_logs_are_followed_to_the_end_of_the_run(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("logs", nexus.ended(0.5).id, "-f")
    assert (done.code, len(done.lines)) == (0, 1)
    assert "is Finished: It Finished." in done.err


@pytest.mark.parametrize("options", [(), ("-f",), ("-o", "jsonl")])
def test_a_run_without_logs_since_it_is_not_there_is_an_error_after_the_logs_of_others(
    options: tuple[str, ...], nexus: NexusThread, command: Callable[..., Done]
) -> None:
    done = command("logs", NOT_THERE, nexus.ended(0.5).id, *options)
    assert (done.code, "otalLoss" in done.out) == (5, True)
    assert f"nexus-async: {NOT_THERE} cannot be found" in done.err


def test_logs_are_events_as_json(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start(0.5)
    assert [event["type"] for event in json.loads(command("logs", run.id, "-o", "json").out)] == [
        "RunAdded", "Checkpoint",
    ]  # fmt: skip
    assert len(command("logs", run.id, "-o", "jsonl").lines) == 2


def test_logs_have_no_summary(command: Callable[..., Done]) -> None:
    done = command("logs", "x", "--summary", "s.md")
    assert (done.code, "leave --summary out" in done.err) == (2, True)


@pytest.fixture(scope="module")
def evaluated(nexus: NexusThread) -> LocalRun:
    run = nexus.ended(0.5, 0.25, 0.5)
    nexus.do(lambda: run.evaluate(3, ["cat", "dog"], [[8, 1], [2, 9]]))
    return run


def test_a_matrix_is_a_line_for_each_prediction(evaluated: LocalRun, command: Callable[..., Done]) -> None:
    assert command("runs", "matrix", evaluated.id).lines == [
        "cat\t8\t1\t0",
        "dog\t2\t9\t0",
        "Background\t0\t0\t0",
    ]


def test_a_matrix_has_no_background_and_is_normalized_where_that_is_asked_for(
    evaluated: LocalRun, command: Callable[..., Done]
) -> None:
    done = command("runs", "matrix", evaluated.id, "--normalize", "--no-background")
    assert done.lines == ["cat\t0.8\t0.1", "dog\t0.2\t0.9"]


def test_a_matrix_is_one_json_object(evaluated: LocalRun, command: Callable[..., Done]) -> None:
    found = json.loads(command("runs", "matrix", evaluated.id, "-o", "json").out)
    assert (found["evaluation"], found["classes"][:2], found["counts"][0]) == ("3", ["cat", "dog"], [8, 1, 0])


def test_a_matrix_that_is_not_there_is_told(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("runs", "matrix", nexus.start(0.5).id)
    assert (done.code, done.out, len(done.err.splitlines())) in {(1, "", 1), (5, "", 1)}


def test_runs_are_compared_by_best_last_duration_and_settings(
    evaluated: LocalRun, command: Callable[..., Done]
) -> None:
    [line] = command("runs", "compare", evaluated.id).lines
    assert line.split("\t")[:8] == [
        evaluated.id, "0.2500", "0.5000", "3", "1h00m", "Finished", "First flow", "1 x GPU_T4",
    ]  # fmt: skip


def test_more_is_better_of_what_is_no_loss(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start()
    for step, accuracy in enumerate([0.5, 0.75, 0.25]):
        nexus.do(lambda step=step, accuracy=accuracy: run.checkpoint(step, accuracy=accuracy))  # type: ignore[misc]  # defaults bind the loop's values
    found = json.loads(command("runs", "compare", run.id, "--metric", "accuracy", "-o", "json").out)
    assert (found[0]["best"], found[0]["last"], found[0]["steps"]) == (0.75, 0.25, 2)


def test_checkpoints_are_exported_as_csv_with_a_column_for_each_metric(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    first, second = nexus.ended(0.5), nexus.start()
    nexus.do(lambda: second.checkpoint(7, time=1_700_000_000_000, accuracy="NaN"))
    header, one, two = csv.reader(command("runs", "export", first.id, second.id, "--to", "csv").lines)
    assert header == ["run", "step", "time", "totalLoss", "accuracy"]
    assert (one[:2], one[3:]) == ([first.id, "1"], ["0.5", ""])
    assert two == [second.id, "7", "2023-11-14T22:13:20Z", "", "nan"]


def test_checkpoints_are_exported_as_events(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("runs", "export", nexus.ended(0.5, 0.25).id, "--to", "jsonl")
    assert [type(decode_event(line)).__name__ for line in done.lines] == ["Checkpoint", "Checkpoint"]


def test_a_run_is_recorded_to_its_end(tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]) -> None:
    run, file = nexus.ended(0.5, 0.25), tmp_path / "run.jsonl"
    done = command("runs", "record", run.id, str(file))
    assert (done.code, done.out) == (0, "")
    assert done.err == f"Recorded 4 events of {run.id}, which is Finished\n"
    assert [type(decode_event(line)).__name__ for line in file.read_bytes().splitlines()] == [
        "RunAdded", "Checkpoint", "Checkpoint", "RunEnded",
    ]  # fmt: skip


def test_a_file_that_is_there_is_written_over_by_force_alone(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run, file = nexus.ended(0.5), tmp_path / "run.jsonl"
    file.write_text("mine\n")
    done = command("runs", "record", run.id, str(file))
    assert (done.code, file.read_text()) == (2, "mine\n")
    assert "choose another name, or pass --force" in done.err
    assert command("runs", "record", run.id, str(file), "--force").code == 0
    assert "mine" not in file.read_text()


@pytest.mark.parametrize("name", ["nope", NOT_THERE])
def test_of_a_run_that_is_not_there_nothing_is_recorded(
    name: str, tmp_path: Path, command: Callable[..., Done]
) -> None:
    assert command("runs", "record", name, str(tmp_path / "run.jsonl")).code == 5
    assert list(tmp_path.glob("*.jsonl")) == []


async def test_a_recording_of_a_run_that_is_gone_midway_ends_with_what_came_until_then() -> None:
    async def events() -> AsyncIterator[Event]:
        yield a_checkpoint(1, totalLoss=0.5)
        yield FollowFailed(project_id="p", run_id="run_1", id="i", cursor="c", error="404", fatal=True)

    recording = io.BytesIO()
    with pytest.raises(GoneError, match="run_1 cannot be found"):
        await write_all(events(), recording)
    assert [type(decode_event(line)).__name__ for line in recording.getvalue().splitlines()] == ["Checkpoint"]


def test_a_metric_that_no_run_has_is_told_with_those_that_there_are(
    evaluated: LocalRun, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    assert command("runs", "compare", nexus.start().id, "--metric", "los").err == ""
    told = command("runs", "compare", evaluated.id, "--metric", "los").err
    assert "no run has a metric los: pass --metric with one of totalLoss" in told
