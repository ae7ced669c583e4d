"""Curves and the clock that they pass by."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from local_api import metrics, serving, virtual

from nexus_async.local import CurveTrainer, InvalidArgumentError, LocalRun, TrainingClock


async def _train(trainer: CurveTrainer, **options: Any) -> tuple[LocalRun, float]:
    async with serving(trainer, **options) as (nexus, _):
        start = asyncio.get_running_loop().time()
        run = nexus.start_run()
        await run.wait_over()
        return run, asyncio.get_running_loop().time() - start


@virtual
async def test_losses_fall_and_accuracy_rises() -> None:
    run, _ = await _train(CurveTrainer())
    first, last = metrics(run)[0], metrics(run)[-1]
    assert last["totalLoss"] < first["totalLoss"] / 4
    assert last["accuracy"] > 0.7 > first["accuracy"]


@virtual
async def test_the_total_loss_is_the_sum_of_the_others() -> None:
    run, _ = await _train(CurveTrainer(steps=3))
    for step in metrics(run):
        parts = step["boxLoss"] + step["classificationLoss"] + step["distributedFocalLoss"]
        assert step["totalLoss"] == pytest.approx(parts, rel=1e-4)


@virtual
async def test_steps_are_an_interval_apart() -> None:
    run, seconds = await _train(CurveTrainer(steps=7, interval=30.0))
    assert [step["step"] for step in metrics(run)] == list(range(1, 8))
    assert 7 * 30.0 <= seconds < 8 * 30.0


@virtual
async def test_speed_shortens_the_training() -> None:
    _, slow = await _train(CurveTrainer())
    _, fast = await _train(CurveTrainer(speed=50.0))
    assert fast == pytest.approx(slow / 50.0)


@virtual
async def test_the_metrics_are_those_named() -> None:
    run, _ = await _train(CurveTrainer(steps=1, metrics=["maskLoss", "mAP"]))
    assert metrics(run)[0].keys() == {"step", "log", "maskLoss", "mAP"}


@virtual
async def test_a_seed_decides_the_curves() -> None:
    runs = [(await _train(CurveTrainer(steps=3, seed=seed)))[0] for seed in (1, 1, 2)]
    first, same, other = (metrics(run) for run in runs)
    assert first == same != other


@virtual
async def test_the_curves_of_two_runs_differ_and_begin_at_different_times() -> None:
    async with serving(CurveTrainer(steps=3)) as (nexus, _):
        one, two = nexus.start_run(), nexus.start_run()
        await asyncio.gather(one.wait_over(), two.wait_over())
        assert metrics(one) != metrics(two)
        assert one.update_date != two.update_date


@virtual
async def test_a_run_is_evaluated_at_its_interval_and_at_its_end() -> None:
    async with serving(CurveTrainer(steps=10)) as (nexus, api):
        rule = {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 4}
        run = nexus.start_run(setup={"checkpoint": rule})
        await run.wait_over()
        matrix = (await api("GET", f"runs/{run.id}/confusionMatrix")).data["data"]
        assert all(f'"{step}":' in matrix for step in (4, 8, 10))


@virtual
async def test_epochs_limit_the_steps() -> None:
    async with serving(CurveTrainer()) as (nexus, _):
        run = nexus.start_run(setup={"limit": {"metric": "LIM_EPOCHS", "value": 4}})
        await run.wait_over()
        assert (run.overview, run.steps_seen) == ("Finished", 4)


@virtual
async def test_a_clock_moved_by_hand_decides_what_has_happened() -> None:
    clock = TrainingClock()
    async with serving(CurveTrainer(steps=5, interval=10.0, clock=clock)) as (nexus, _):
        run = nexus.start_run()
        await asyncio.sleep(3600.0)
        assert run.overview == "Creating"
        await clock.advance(20.0)
        assert run.steps_seen == 1
        await clock.advance(40.0)
        assert run.overview == "Finished"


@virtual
async def test_sleepers_wake_in_the_order_of_their_time() -> None:
    clock, woken = TrainingClock(), []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now))

    async with asyncio.TaskGroup() as group:
        for seconds in (3.0, 1.0, 2.0):
            group.create_task(sleep(seconds))
        await clock.advance(5.0)
    assert woken == [(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]
    assert clock.now == 5.0


@virtual
async def test_a_sleeper_that_was_cancelled_does_not_wake() -> None:
    clock = TrainingClock()
    sleeper = asyncio.create_task(clock.sleep(1.0))
    await clock.advance(0.5)
    sleeper.cancel()
    await clock.advance(1.0)
    assert sleeper.cancelled()


@virtual
async def test_training_time_does_not_go_back() -> None:
    with pytest.raises(InvalidArgumentError, match=r"seconds=-1\.0"):
        await TrainingClock().advance(-1.0)


@virtual
async def test_ten_thousand_runs_train_at_once() -> None:
    async with serving(CurveTrainer(interval=10.0)) as (nexus, api):
        for _ in range(10_000):
            nexus.start_run()
        await asyncio.sleep(20.0)
        assert {run.overview for run in nexus.runs.values()} == {"Running"}
        assert all(run.steps_seen >= 1 for run in nexus.runs.values())
        assert len((await api("GET", "runs")).data) == 10_000


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"steps": 0}, "steps=0"),
        ({"interval": -1.0}, "interval=-1.0"),
        ({"speed": 0.0}, "speed=0.0"),
        ({"speed": -2.0}, "speed=-2.0"),
        ({"metrics": []}, "metrics is empty"),
        ({"clock": TrainingClock(), "speed": 2.0}, "speed=2.0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=named):
        CurveTrainer(**arguments)
