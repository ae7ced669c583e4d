"""A run as scripts drive it."""

from __future__ import annotations

import math

import pytest
from local_api import entries, metrics, serving, virtual

from nexus_async.local import InvalidArgumentError, RunOverError

EPOCH = 1_700_000_000_000


@virtual
async def test_the_first_checkpoint_begins_the_run() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.checkpoint(1, totalLoss=2.0)
        assert (run.overview, run.steps_seen, run.last_step) == ("Running", 1, 1)


@virtual
async def test_a_checkpoint_reads_as_nexus_writes_it() -> None:
    async with serving(epoch=EPOCH) as (nexus, _):
        run = nexus.start_run()
        run.checkpoint(0, totalLoss=64.055, boxLoss=5.3928)
        log = "Step 0, totalLoss: 6.4055E+01, boxLoss: 5.3928E+00."
        pl = {"step": 0, "log": log, "totalLoss": 64.055, "boxLoss": 5.3928}
        assert entries(run) == [{"ev": "trainingCheckpoint", "t": EPOCH, "pl": pl}]


@virtual
async def test_a_checkpoint_takes_a_time_and_a_message() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.checkpoint(3, time=12, message="late", totalLoss=1)
        assert entries(run) == [
            {"ev": "trainingCheckpoint", "t": 12, "pl": {"step": 3, "log": "late", "totalLoss": 1}}
        ]


@virtual
async def test_metrics_that_are_not_finite_are_written_as_text() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.checkpoint(1, a=math.nan, b=math.inf, c=-math.inf, d=None, e="NaN")
        (written,) = metrics(run)
        assert written.pop("log") == "Step 1, a: NaN, b: Infinity, c: -Infinity, d: null, e: NaN."
        assert written == {"step": 1, "a": "NaN", "b": "Infinity", "c": "-Infinity", "d": None, "e": "NaN"}


@virtual
async def test_other_entries_have_the_payload_that_is_given_or_none_at_all() -> None:
    async with serving(epoch=EPOCH) as (nexus, _):
        run = nexus.start_run()
        run.log("evaluation", {"mAP": 0.5}, time=7)
        run.log("nothing", None)
        run.log("absent")
        assert entries(run) == [
            {"ev": "evaluation", "t": 7, "pl": {"mAP": 0.5}},
            {"ev": "nothing", "t": EPOCH, "pl": None},
            {"ev": "absent", "t": EPOCH},
        ]


@virtual
async def test_raw_bytes_are_served_as_they_are() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.append(b'{"ev": NaN}')
        log = run.find_log(run.log_ids[0])
        assert log is not None
        assert log.body().endswith(b'"logs":[{"ev": NaN}]}')


@virtual
async def test_time_goes_on_with_the_loop() -> None:
    import asyncio

    async with serving(epoch=EPOCH) as (nexus, _):
        run = nexus.start_run()
        await asyncio.sleep(90.5)
        run.begin("Warming up.")
        assert (run.create_date, run.update_date) == (EPOCH, EPOCH + 90_500)
        assert run.message == "Warming up."


@pytest.mark.parametrize(
    ("end", "overview"), [("finish", "Finished"), ("fail", "Errored"), ("cancel", "Cancelled")]
)
@virtual
async def test_an_ended_run_says_so_and_cannot_end_again(end: str, overview: str) -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        assert not run.is_over
        getattr(run, end)("the reason")
        await run.wait_over()
        assert (run.is_over, run.overview, run.message) == (True, overview, "the reason")
        with pytest.raises(RunOverError, match=rf"{run.id} cannot end twice: it is {overview}"):
            run.finish()


@virtual
async def test_an_ended_run_cannot_begin() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.finish()
        with pytest.raises(RunOverError, match="cannot begin"):
            run.begin()


@virtual
async def test_late_lines_reach_the_log_of_an_ended_run() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.finish()
        run.checkpoint(5, totalLoss=1.0)
        assert (run.overview, metrics(run)[0]["step"]) == ("Finished", 5)


@virtual
async def test_evaluations_have_background_last_wherever_it_was_given() -> None:
    import json

    import msgspec

    async with serving() as (nexus, _):
        run = nexus.start_run()
        run.evaluate(1, ["Background", "cat"], [[0, 2], [1, 5]])
        columns = json.loads(msgspec.json.decode(run.matrices.body())["data"])["1"]
        assert [column["id"] for column in columns] == ["cat", "Background"]
        assert [[cell["y"] for cell in column["data"]] for column in columns] == [[5, 1], [2, 0]]


@virtual
async def test_counts_that_do_not_fit_the_classes_are_refused() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        with pytest.raises(InvalidArgumentError, match="2 rows of 2 numbers"):
            run.evaluate(1, ["cat", "dog"], [[1, 2]])


@virtual
async def test_a_negative_step_is_refused() -> None:
    async with serving() as (nexus, _):
        with pytest.raises(InvalidArgumentError, match="step=-1"):
            nexus.start_run().checkpoint(-1)


@virtual
async def test_epochs_are_bounded_by_the_limit() -> None:
    async with serving() as (nexus, _):
        limited = nexus.start_run(setup={"limit": {"metric": "LIM_EPOCHS", "value": 3}})
        assert list(limited.epochs(60)) == [1, 2, 3]
        assert list(limited.epochs(2)) == [1, 2]
        assert len(nexus.start_run().epochs(60)) == 60
