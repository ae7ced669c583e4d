"""Trainings that are real."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest
from local_api import metrics, one_project, serving, until, virtual

from nexus_async.local import DigitsTrainer, InvalidArgumentError, LocalRun
from nexus_async.local.trainers.learner import CLASSES, Learner


async def _train(trainer: DigitsTrainer, model: str, learning_rate: float) -> LocalRun:
    async with serving(trainer, projects=one_project(model=model, learning_rate=learning_rate)) as (nexus, _):
        run = nexus.start_run()
        await run.wait_over()
        return run


@virtual
async def test_five_default_workflows_learn_and_the_sixth_diverges() -> None:
    async with serving(DigitsTrainer(steps=16, step_seconds=0.0)) as (nexus, _):
        runs = [nexus.start_run(flow.id) for flow in nexus.projects[0].workflows]
        await asyncio.gather(*(run.wait_over() for run in runs))
        assert {run.overview for run in runs} == {"Finished"}
        *learning, diverging = map(metrics, runs)
        assert all(steps[-1]["totalLoss"] < steps[0]["totalLoss"] for steps in learning)
        assert max(steps[-1]["accuracy"] for steps in learning) > 0.9
        assert diverging[0]["totalLoss"] < diverging[5]["totalLoss"] < diverging[9]["totalLoss"]
        assert diverging[15]["totalLoss"] > 1000 * diverging[0]["totalLoss"]


@virtual
async def test_least_squares_far_above_its_bound_reaches_infinity_and_goes_on() -> None:
    run = await _train(DigitsTrainer(steps=40, step_seconds=0.0), "least squares", 0.5)
    assert run.overview == "Finished"
    assert "Infinity" in [step["totalLoss"] for step in metrics(run)]
    assert metrics(run)[-1]["totalLoss"] == "NaN"


@pytest.mark.parametrize(
    ("model", "learning_rate"),
    [("logistic regression", 0.002), ("perceptron 32", 0.01), ("perceptron 64x32", 0.1), ("least squares", 0.1)],
)
@virtual
async def test_each_model_learns(model: str, learning_rate: float) -> None:
    run = await _train(DigitsTrainer(steps=8, step_seconds=0.0), model, learning_rate)
    assert metrics(run)[-1]["accuracy"] > 0.85
    assert metrics(run)[-1].keys() == {"step", "log", "totalLoss", "trainLoss", "accuracy"}


@virtual
async def test_a_model_whose_weights_overflow_goes_on_with_nan() -> None:
    run = await _train(DigitsTrainer(steps=4, step_seconds=0.0), "perceptron 32", 1e300)
    assert run.overview == "Finished"
    assert metrics(run)[-1]["totalLoss"] == "NaN"


@virtual
async def test_the_matrix_counts_the_held_out_part() -> None:
    async with serving(DigitsTrainer(steps=5, step_seconds=0.0)) as (nexus, api):
        rule = {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 2}
        run = nexus.start_run(setup={"checkpoint": rule})
        await run.wait_over()
        matrix = (await api("GET", f"runs/{run.id}/confusionMatrix")).data["data"]
        assert all(f'"{step}":' in matrix for step in (2, 4, 5))
        assert '"3":[' not in matrix


def test_the_counts_agree_with_the_accuracy() -> None:
    result = Learner("least squares", 0.1, 0).step()
    right = sum(result.counts[digit][digit] for digit in range(len(CLASSES)))
    assert right / sum(map(sum, result.counts)) == pytest.approx(result.metrics["accuracy"])


@virtual
async def test_steps_are_at_least_so_many_seconds_apart() -> None:
    start = asyncio.get_running_loop().time()
    await _train(DigitsTrainer(steps=3, step_seconds=20.0), "least squares", 0.1)
    assert asyncio.get_running_loop().time() - start == pytest.approx(60.0)


@virtual
async def test_a_seed_decides_the_training() -> None:
    trainers = [DigitsTrainer(steps=1, step_seconds=0.0, seed=seed) for seed in (1, 1, 2)]
    first, same, other = [metrics(await _train(trainer, "perceptron 32", 0.01)) for trainer in trainers]
    assert first == same != other


@virtual
async def test_an_unknown_model_is_errored_and_told_what_there_is() -> None:
    run = await _train(DigitsTrainer(), "YOLOv8 Nano", 0.1)
    assert run.overview == "Errored"
    assert "'YOLOv8 Nano'" in run.message
    assert "least squares" in run.message


@virtual
async def test_a_missing_scikit_learn_is_errored_and_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    run = await _train(DigitsTrainer(), "logistic regression", 0.1)
    assert run.overview == "Errored"
    assert ".[demo]" in run.message


async def test_a_killed_training_writes_nothing_more_and_leaves_no_thread() -> None:
    import threading

    async with serving(DigitsTrainer(steps=1000, step_seconds=0.0)) as (nexus, api):
        run = nexus.start_run()
        await until(lambda: run.steps_seen > 0)
        await api("PATCH", f"runs/{run.id}", {"status": "Cancelled"})
        seen = run.steps_seen
        await until(lambda: not any(thread.name.startswith("digits") for thread in threading.enumerate()))
        assert run.steps_seen == seen


async def test_the_loop_stays_free_while_six_models_train() -> None:
    await asyncio.to_thread(Learner("perceptron 32", 0.01, 0).step)  # imports hold the interpreter, once
    async with serving(DigitsTrainer(steps=10, step_seconds=0.0)) as (nexus, _):
        runs = [nexus.start_run(flow.id) for flow in nexus.projects[0].workflows]
        late = []
        while not all(run.is_over for run in runs):
            start = time.perf_counter()
            await asyncio.sleep(0.005)
            late.append(time.perf_counter() - start - 0.005)
    late.sort()
    assert late[len(late) * 9 // 10] < 0.05


@pytest.mark.parametrize("arguments", [{"steps": 0}, {"step_seconds": -0.1}])
def test_arguments_out_of_range_are_refused(arguments: dict[str, int]) -> None:
    ((name, value),) = arguments.items()
    with pytest.raises(InvalidArgumentError, match=f"{name}={value}"):
        DigitsTrainer(**arguments)
