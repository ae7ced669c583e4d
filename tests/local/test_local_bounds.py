"""What bounds runs and their number."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from local_api import serving, virtual

from nexus_async.local import CurveTrainer, InvalidArgumentError, TooManyRunsError, TrainingClock, UnknownIdError


@virtual
async def test_the_run_that_ended_first_is_forgotten_for_a_new_one() -> None:
    async with serving(max_runs=3) as (nexus, api):
        active, later, earlier = (nexus.start_run() for _ in range(3))
        earlier.finish()
        later.finish()
        fresh = nexus.start_run()
        assert list(nexus.runs) == [active.id, later.id, fresh.id]
        assert (await api("GET", f"runs/{earlier.id}")).status == 404
        assert [run["id"] for run in (await api("GET", "runs")).data] == list(nexus.runs)


@virtual
async def test_a_start_is_put_off_while_all_runs_are_active() -> None:
    async with serving(max_runs=1) as (nexus, api):
        run = nexus.start_run()
        answer = await api.start(run.flow_id)
        assert (answer.status, answer.data["code"]) == (429, "TooManyRequestsError")
        assert int(answer.headers["Retry-After"]) > 0
        with pytest.raises(TooManyRunsError, match="max_runs"):
            nexus.start_run()
        run.finish()
        assert (await api.start(run.flow_id)).status == 200


@virtual
async def test_a_run_whose_log_is_full_is_errored() -> None:
    async with serving(CurveTrainer(), max_log_bytes=2_000) as (nexus, api):
        run = nexus.start_run()
        await run.wait_over()
        assert run.overview == "Errored"
        assert "max_log_bytes" in run.message
        log = (await api("GET", f"runs/logs/{run.log_ids[0]}")).data["logs"]
        assert len(log) == run.steps_seen > 0


@virtual
async def test_late_lines_of_a_full_log_are_dropped() -> None:
    async with serving(max_log_bytes=1_000) as (nexus, _):
        run = nexus.start_run()
        for step in range(100):
            run.checkpoint(step, totalLoss=1.0)
        log = run.find_log(run.log_ids[0])
        assert log is not None
        assert log.size <= 1_000
        assert run.overview == "Errored"


@virtual
async def test_minutes_end_a_run_as_finished_and_are_named() -> None:
    limit = {"metric": "LIM_MINUTE", "value": 5}
    async with serving(CurveTrainer(interval=10.0)) as (nexus, _):
        run = nexus.start_run(setup={"limit": limit})
        await run.wait_over()
        assert (run.overview, run.message) == (
            "Finished",
            "Training stopped at its limit of 5 minutes (LIM_MINUTE).",
        )
        assert run.steps_seen in (29, 30)


@virtual
async def test_minutes_are_those_of_training_which_speed_shortens() -> None:
    async with serving(CurveTrainer(interval=10.0, speed=60.0)) as (nexus, _):
        run = nexus.start_run(setup={"limit": {"metric": "LIM_MINUTE", "value": 2}})
        start = asyncio.get_running_loop().time()
        await run.wait_over()
        assert 2.0 <= asyncio.get_running_loop().time() - start < 2.5
        assert "LIM_MINUTE" in run.message


@virtual
async def test_minutes_of_a_clock_moved_by_hand_are_its_own() -> None:
    clock = TrainingClock()
    async with serving(CurveTrainer(interval=10.0, clock=clock)) as (nexus, _):
        run = nexus.start_run(setup={"limit": {"metric": "LIM_MINUTE", "value": 1}})
        await asyncio.sleep(3600.0)
        assert not run.is_over
        await clock.advance(75.0)
        assert "LIM_MINUTE" in run.message


@virtual
async def test_a_run_that_ends_before_its_minutes_keeps_its_end() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run(setup={"limit": {"metric": "LIM_MINUTE", "value": 1}})
        run.begin()
        run.fail("out of memory")
        mishaps: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: mishaps.append(context))
        await asyncio.sleep(120.0)
        assert run.message == "out of memory"
        assert not mishaps


@virtual
async def test_an_unknown_run_is_named() -> None:
    async with serving() as (nexus, _):
        with pytest.raises(UnknownIdError, match="no run run_0 on this server"):
            nexus.run("run_0")


@virtual
async def test_a_run_keeps_the_last_thousand_of_its_evaluations() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        for step in range(1, 1003):
            run.evaluate(step, ["a"], [[step]])
        answer = await api("GET", f"runs/{run.id}/confusionMatrix")
        assert list(msgspec.json.decode(answer.data["data"])) == [str(step) for step in range(3, 1003)]


@virtual
async def test_a_run_has_a_hundred_logs_at_most() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        for _number in range(99):
            run.open_log()
        with pytest.raises(InvalidArgumentError, match="has 100 logs"):
            run.open_log()
