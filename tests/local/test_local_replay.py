"""Playing what was recorded."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from local_api import serving, virtual

from nexus_async.local import InvalidArgumentError, LocalRun, ReplayTrainer

if TYPE_CHECKING:
    from pathlib import Path


def added(run_id: str = "run_1", at: float = 100.0) -> dict[str, Any]:
    status = {"overview": "Creating", "message": "", "updateDate": at * 1000}
    return {"v": 1, "type": "RunAdded", "runId": run_id, "run": {"status": status, "createDate": at * 1000}}


def checkpoint(step: int, at: float | None, run_id: str = "run_1", **metrics: Any) -> dict[str, Any]:
    return {
        "v": 1, "type": "Checkpoint", "runId": run_id, "step": step, "time": at, "metrics": metrics, "message": f"s{step}",
    }  # fmt: skip


def ended(at: float, outcome: str = "Finished", run_id: str = "run_1") -> dict[str, Any]:
    status = {"overview": outcome, "message": "That was it.", "updateDate": at * 1000}
    return {
        "v": 1,
        "type": "RunEnded",
        "runId": run_id,
        "outcome": outcome,
        "run": {"status": status, "createDate": 0},
    }


def recorded(folder: Path, *events: dict[str, Any]) -> Path:
    file = folder / "run.jsonl"
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


async def played(file: Path, **options: Any) -> tuple[LocalRun, float]:
    async with serving(ReplayTrainer(file, **options)) as (nexus, _):
        begun = asyncio.get_running_loop().time()
        run = nexus.start_run()
        await run.wait_over()
        return run, asyncio.get_running_loop().time() - begun


def entries(run: LocalRun) -> list[dict[str, Any]]:
    log = run.find_log(run.log_ids[0])
    assert log is not None
    return list(json.loads(log.body())["logs"])


@virtual
async def test_entries_are_played_with_the_pauses_between_them(tmp_path: Path) -> None:
    file = recorded(
        tmp_path, added(), checkpoint(1, 130, totalLoss=0.5), checkpoint(2, 190, totalLoss="NaN"), ended(200)
    )
    run, seconds = await played(file)
    assert seconds == pytest.approx(100)
    first, second = entries(run)
    assert (second["t"] - first["t"]) / 1000 == pytest.approx(60)
    assert [first["pl"], second["pl"]] == [
        {"step": 1, "log": "s1", "totalLoss": 0.5},
        {"step": 2, "log": "s2", "totalLoss": "NaN"},
    ]
    assert (run.overview, run.message) == ("Finished", "That was it.")


@virtual
async def test_a_recording_is_played_faster(tmp_path: Path) -> None:
    _, seconds = await played(recorded(tmp_path, added(), checkpoint(1, 160), ended(220)), speed=60.0)
    assert seconds == pytest.approx(2)


@virtual
@pytest.mark.parametrize("outcome", ["Finished", "Errored", "Cancelled"])
async def test_a_run_ends_as_the_recorded_one_did(outcome: str, tmp_path: Path) -> None:
    run, _ = await played(recorded(tmp_path, checkpoint(1, 100), ended(101, outcome)))
    assert (run.overview, run.message) == (outcome, "That was it.")


@virtual
async def test_other_entries_are_played_as_they_are(tmp_path: Path) -> None:
    note = {"v": 1, "type": "LogEntry", "runId": "run_1", "time": 100.0, "ev": "note", "payload": [1, None]}
    run, _ = await played(recorded(tmp_path, note, ended(101)))
    assert [(entry["ev"], entry["pl"]) for entry in entries(run)] == [("note", [1, None])]


@virtual
async def test_times_that_go_back_or_lack_make_no_pause(tmp_path: Path) -> None:
    file = recorded(
        tmp_path, checkpoint(1, 100), checkpoint(2, 40), checkpoint(3, None), checkpoint(4, 110), ended(110)
    )
    run, seconds = await played(file)
    assert len(entries(run)) == 4
    assert seconds == pytest.approx(10)


@virtual
async def test_a_metric_may_be_called_like_an_argument(tmp_path: Path) -> None:
    run, _ = await played(recorded(tmp_path, checkpoint(1, 100, time=0.5), ended(101)))
    assert [entry["pl"]["time"] for entry in entries(run)] == [0.5]


@virtual
async def test_runs_take_turns_in_a_recording_of_several(tmp_path: Path) -> None:
    file = recorded(
        tmp_path,
        checkpoint(1, 100), checkpoint(7, 100, "run_2"), ended(101), ended(101, run_id="run_2"),
    )  # fmt: skip
    async with serving(ReplayTrainer(file)) as (nexus, _):
        runs = [nexus.start_run() for _ in range(3)]
        for run in runs:
            await run.wait_over()
        assert [run.last_step for run in runs] == [1, 7, 1]


@virtual
async def test_a_recording_without_an_end_leaves_the_run_running(tmp_path: Path) -> None:
    async with serving(ReplayTrainer(recorded(tmp_path, checkpoint(1, 100)))) as (nexus, _):
        run = nexus.start_run()
        await asyncio.sleep(3600)
        assert (run.overview, run.last_step) == ("Running", 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "tells of no run: nexus-async runs record makes a recording"),
        ('{"v":1,"type":"CaughtUp","id":"i"}\n', "tells of no run"),
        ("not JSON\n", r"line 1 of .* is no event"),
        ('{"type":"Checkpoint"}\n', r"line 1 of .* is no event"),
        ('{"v":2,"type":"Checkpoint"}\n', "is of version 2, and 1 is read here"),
    ],
)
def test_what_is_no_recording_is_told(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "run.jsonl").write_text(text)
    with pytest.raises(InvalidArgumentError, match=said):
        ReplayTrainer(tmp_path / "run.jsonl")


def test_a_speed_of_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"speed=0"):
        ReplayTrainer(recorded(tmp_path, checkpoint(1, 100)), speed=0)
