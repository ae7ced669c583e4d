"""A trainer that really trains: small models on scikit-learn's handwritten digits."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.trainers.learner import CLASSES, Learner, StepResult
from nexus_async.local.trainers.trainer import TrainingFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async.local.projects import LocalWorkflow
    from nexus_async.local.run import LocalRun

T = TypeVar("T")
# more would take turns on the interpreter's lock, and the event loop would wait for all of them
_WORKERS = 2


class DigitsTrainer:
    """Train the model that a run's workflow names, at its learning rate, on handwritten digits.

    One step is one pass over the training data; there are `steps` of them, at least `step_seconds` apart.
    `seed` decides the held-out part, the initial weights and the order of the data. Models are
    `logistic regression`, `least squares` and `perceptron` with its layers, as in `perceptron 64x32`. The
    metrics are `totalLoss` (of the held-out part), `trainLoss` and `accuracy`. The work is done in threads.

    Needs `nexus-async[demo]`; a run without it is `Errored` and says so.

    Raises `InvalidArgumentError` for an argument that is out of its range.
    """

    speed = 1.0

    def __init__(self, *, steps: int = 60, step_seconds: float = 0.4, seed: int = 0) -> None:
        if steps < 1:
            raise InvalidArgumentError(f"steps={steps} must be at least 1")
        if not step_seconds >= 0:
            raise InvalidArgumentError(f"step_seconds={step_seconds} must not be below 0")
        self._steps = steps
        self._step_seconds = step_seconds
        self._seed = seed
        self._pool: ThreadPoolExecutor | None = None
        self._training = 0

    async def train(self, run: LocalRun) -> None:
        """Train the model of one run."""
        with self._workers() as pool:
            learner = await _in(pool, lambda: _learner(run.workflow, self._seed))
            run.begin()
            steps = run.epochs(self._steps)
            for step in steps:
                result = await self._step(pool, learner)
                run.checkpoint(step, time=None, message=None, **result.metrics)
                if run.is_evaluated_at(step, steps[-1]):
                    run.evaluate(step, CLASSES, result.counts)

    async def _step(self, pool: ThreadPoolExecutor, learner: Learner) -> StepResult:
        loop = asyncio.get_running_loop()
        start = loop.time()
        result = await _in(pool, learner.step)
        await asyncio.sleep(max(0.0, start + self._step_seconds - loop.time()))
        return result

    @contextmanager
    def _workers(self) -> Iterator[ThreadPoolExecutor]:
        """Lend the threads, which are there as long as a run is trained."""
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="digits")
        self._training += 1
        try:
            yield self._pool
        finally:
            self._training -= 1
            if not self._training:
                self._pool.shutdown(wait=False, cancel_futures=True)
                self._pool = None


async def _in(pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, work)


def _learner(workflow: LocalWorkflow, seed: int) -> Learner:
    try:
        return Learner(workflow.model, workflow.learning_rate, seed)
    except ImportError as error:
        raise TrainingFailed(
            f"DigitsTrainer needs scikit-learn: pip install '.[demo]' in a clone ({error})"
        ) from error
    except InvalidArgumentError as error:
        raise TrainingFailed(str(error)) from error
