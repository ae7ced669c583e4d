"""What comes of a training."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from local_api import serving, virtual

from nexus_async.local import CurveTrainer, LocalRun, TrainingFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import pytest


class FunctionTrainer:
    speed = 1.0

    def __init__(self, train: Callable[[LocalRun], Awaitable[None]]) -> None:
        self.train = train  # type: ignore[method-assign, assignment]  # the function is the method

    async def train(self, run: LocalRun) -> None:
        raise NotImplementedError


@virtual
async def test_a_training_that_returns_is_finished() -> None:
    async def train(run: LocalRun) -> None:
        run.begin()

    async with serving(FunctionTrainer(train)) as (nexus, _):
        run = nexus.start_run()
        await run.wait_over()
        assert run.overview == "Finished"


@virtual
async def test_a_training_may_end_its_run_itself() -> None:
    async def train(run: LocalRun) -> None:
        run.finish("Early stop.")

    async with serving(FunctionTrainer(train)) as (nexus, _):
        run = nexus.start_run()
        await run.wait_over()
        assert (run.overview, run.message) == ("Finished", "Early stop.")


@virtual
async def test_a_failed_training_is_errored_with_its_message() -> None:
    async def train(run: LocalRun) -> None:
        raise TrainingFailed("out of memory")

    async with serving(FunctionTrainer(train)) as (nexus, _):
        run = nexus.start_run()
        await run.wait_over()
        assert (run.overview, run.message) == ("Errored", "out of memory")


@virtual
async def test_a_broken_trainer_is_errored_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def train(run: LocalRun) -> None:
        raise ZeroDivisionError("no data")

    with caplog.at_level(logging.ERROR, "nexus_async.local"):
        async with serving(FunctionTrainer(train)) as (nexus, _):
            run = nexus.start_run()
            await run.wait_over()
    assert (run.overview, run.message) == ("Errored", "ZeroDivisionError: no data")
    assert run.id in caplog.text


@virtual
async def test_nothing_is_written_after_a_kill() -> None:
    async with serving(CurveTrainer(interval=10.0)) as (nexus, api):
        run = nexus.start_run()
        await asyncio.sleep(55.0)
        await api("PATCH", f"runs/{run.id}", {"status": "Cancelled"})
        seen = run.steps_seen
        await asyncio.sleep(2000.0)
        assert run.steps_seen == seen > 0
        assert run.overview == "Cancelled"


@virtual
async def test_a_run_can_be_killed_before_its_training_began() -> None:
    async with serving(CurveTrainer()) as (nexus, _):
        run = nexus.start_run()
        run.cancel()
        await asyncio.sleep(2000.0)
        assert (run.overview, run.steps_seen) == ("Cancelled", 0)


@virtual
async def test_nothing_is_left_after_close() -> None:
    async with serving(CurveTrainer()) as (nexus, api):
        limited = {"limit": {"metric": "LIM_MINUTE", "value": 5}}
        runs = [nexus.start_run(setup=limited) for _ in range(10)]
        await asyncio.sleep(60.0)
        await api("GET", "runs")
    seen = [run.steps_seen for run in runs]
    await asyncio.sleep(2000.0)
    assert [run.steps_seen for run in runs] == seen
    assert {run.overview for run in runs} == {"Running"}
    assert asyncio.all_tasks() == {asyncio.current_task()}
