"""`watch` without a terminal: plain lines, JSON, exit codes, and which runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import Checkpoint, decode_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cli.nexus_thread import Done, NexusThread

pytestmark = pytest.mark.usefixtures("reached")


def watched(command: Callable[..., Done], *words: str) -> Done:
    return command("watch", *words, "--interval", "0.1")


def test_a_checkpoint_is_a_plain_line(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.ended(0.5, 0.25)
    done = watched(command, run.id)
    short = run.id[:12]
    assert done.lines == [
        f"{short}  First flow  Finished",
        f"{short}  First flow  Finished  step 1  loss 0.5000  best 0.5000",
        f"{short}  First flow  Finished  step 2  loss 0.2500  best 0.2500",
    ]
    assert (done.code, done.err) == (0, "")


def test_another_metric_is_shown_where_it_is_asked_for(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run = nexus.start()
    nexus.do(lambda: run.checkpoint(1, totalLoss=9.0, accuracy=0.75))
    nexus.do(lambda: run.checkpoint(2, totalLoss=8.0, accuracy=0.5))
    nexus.do(run.finish)
    done = watched(command, run.id, "--metric", "accuracy", "--summary", str(tmp_path / "s.md"))
    assert done.lines[-1].endswith("step 2  accuracy 0.5000  best 0.7500")
    assert "| step | accuracy | best |" in (tmp_path / "s.md").read_text()


def test_each_event_is_a_line_of_json_in_the_one_shape(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.ended(0.5, float("nan"))
    events = [decode_event(line) for line in watched(command, run.id, "-o", "jsonl").lines]
    assert [type(event).__name__ for event in events] == ["RunAdded", "Checkpoint", "Checkpoint", "RunEnded"]
    assert isinstance(events[1], Checkpoint)
    assert events[1].metrics == {"totalLoss": 0.5}


def test_all_events_are_one_json_array_that_is_whole_at_a_timeout(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    done = watched(command, nexus.start(0.5).id, "-o", "json", "--timeout", "0.5")
    found: list[dict[str, Any]] = json.loads(done.out)
    assert (done.code, [event["type"] for event in found]) == (8, ["RunAdded", "Checkpoint"])


@pytest.mark.parametrize(("outcome", "code"), [("Finished", 0), ("Errored", 10), ("Cancelled", 11)])
def test_the_exit_code_tells_how_the_runs_ended(
    outcome: str, code: int, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    assert watched(command, nexus.ended(0.5, outcome=outcome).id, nexus.ended().id).code == code


def test_the_first_failure_is_enough_where_failing_fast(nexus: NexusThread, command: Callable[..., Done]) -> None:
    running, failed = nexus.start(0.5), nexus.ended(outcome="Errored")
    assert watched(command, running.id, failed.id, "--fail-fast", "--timeout", "20").code == 10


def test_time_runs_out_for_what_still_runs(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start(0.5)
    done = watched(command, run.id, "--timeout", "0.4")
    assert done.code == 8
    assert done.err == f"nexus-async: still running after 0.4 s: {run.id}. Give it a larger --timeout\n"


def test_time_without_an_event_runs_out(nexus: NexusThread, command: Callable[..., Done]) -> None:
    run = nexus.start(0.5)
    done = watched(command, run.id, "--idle-timeout", "0.4", "--timeout", "30")
    assert done.code == 8
    assert "nothing new for 0.4 s, still running" in done.err
    assert "--idle-timeout" in done.err


def test_a_watch_goes_on_where_its_state_file_is(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run, state = nexus.start(0.5), str(tmp_path / "state.db")
    assert "step 1" in watched(command, run.id, "--state", state, "--timeout", "0.5").out
    nexus.do(lambda: run.checkpoint(2, totalLoss=0.25))
    nexus.do(run.finish)
    resumed = watched(command, run.id, "--state", state)
    assert resumed.code == 0
    assert "step 1 " not in resumed.out
    assert f"{run.id[:12]}  First flow  Finished  step 2  loss 0.2500  best 0.2500" in resumed.lines


def test_without_a_name_those_that_are_not_over_are_watched(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run, over = nexus.start(0.5), nexus.ended(0.5)
    said = watched(command, "--timeout", "0.5").out
    assert run.id[:12] in said
    assert over.id[:12] not in said


@pytest.mark.parametrize(
    ("condition", "takes_first"),
    [
        (["--where", "accelerator=GPU_T4"], True),
        (["--where", "accelerator!=GPU_T4"], False),
        (["--where", "accelerator=GPU_T4", "--where", "count=2"], False),
        (["--where", "flow=First flow"], True),
        (["--where", "flow!=First flow"], False),
        (["--status", "running"], True),
        (["--status", "Creating"], False),
    ],
)
def test_runs_are_chosen_by_status_and_by_settings(
    condition: list[str], takes_first: bool, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    first = nexus.start(0.5)
    second = nexus.start(flow=1, accelerator={"name": "GPU_L4", "count": 2})
    said = watched(command, *condition, "--timeout", "0.5").out
    assert (first.id[:12] in said) is takes_first
    if len(condition) == 2:
        assert (second.id[:12] in said) is not takes_first


def test_a_run_chosen_by_its_status_is_followed_to_its_end(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    run = nexus.start(0.5)
    nexus.do(lambda: nexus.nexus._state.trainings._clock.call_later(0.5, lambda: run.fail("oops")))
    done = watched(command, "--status", "Running", "--fail-fast", "--timeout", "20")
    assert done.code == 10
    assert f"{run.id[:12]}  First flow  Errored" in done.out


def test_a_summary_tells_where_the_runs_are(
    tmp_path: Path, nexus: NexusThread, command: Callable[..., Done]
) -> None:
    watched(command, nexus.ended(0.5, 0.25, 0.5).id, "--summary", str(tmp_path / "s.md"))
    assert "| First flow | Finished | 3 | 0.5000 | 0.2500 |" in (tmp_path / "s.md").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--where", "accelerator"], "--where accelerator is no condition: write FIELD=VALUE"),
        (["--where", "gpu=1"], "runs have no gpu; there are flow, status, message, accelerator"),
        (["--timeout", "-1"], "--timeout"),
        (["--idle-timeout", "soon"], "--idle-timeout soon is no span of time"),
    ],
)
def test_what_makes_no_sense_is_a_mistake_in_usage(
    words: list[str], said: str, command: Callable[..., Done]
) -> None:
    done = command("watch", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_run_is_started_and_watched(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nexus_async.cli.runs.watching.DISCOVERY_INTERVAL", 0.2)
    nexus.do(lambda: nexus.nexus._state.trainings._clock.call_later(1.0, lambda: end_all(nexus)))
    done = command("runs", "start", "--flow", "First flow", "--gpu", "GPU_T4", "--watch", "-o", "jsonl")
    assert done.code == 11
    assert done.err.startswith("Started run_")
    assert json.loads(done.lines[-1])["outcome"] == "Cancelled"


def end_all(nexus: NexusThread) -> None:
    for run in nexus.nexus.runs.values():
        if not run.is_over:
            run.cancel()


def test_a_run_that_is_not_there_is_an_error_and_keeps_none_of_the_others_from_it(
    nexus: NexusThread, command: Callable[..., Done]
) -> None:
    done = watched(command, "run_00000000-0000-0000-0000-000000000000", nexus.ended(0.5).id)
    assert (done.code, "step 1" in done.out) == (5, True)
    assert "nexus-async: run_00000000-0000-0000-0000-000000000000 cannot be found" in done.err
