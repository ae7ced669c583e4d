"""One task per run, and what comes of it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from nexus_async.local.trainers.clock import Clock, LoopClock, Timer
from nexus_async.local.trainers.trainer import Trainer, TrainingFailed

if TYPE_CHECKING:
    from nexus_async.local.run import LocalRun

logger = logging.getLogger("nexus_async.local")


class Trainings:
    """Train runs, each in a task of its own, and hold them to `LIM_MINUTE`.

    `LIM_MINUTE` counts training time from `Running` on: the loop's time multiplied by the trainer's speed,
    or the time of the clock that the trainer has. A run that reaches it is `Finished`, with a message that
    names the limit; Nexus does not document which end that is, so this is an assumption.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._clock: Clock = getattr(trainer, "clock", None) or LoopClock(trainer.speed)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._limits: dict[str, Timer] = {}

    def start(self, run: LocalRun) -> None:
        """Train a run, in the running loop."""
        task = asyncio.get_running_loop().create_task(self._train(run), name=f"train {run.id}")
        self._tasks[run.id] = task
        # not in the task itself: one that is cancelled before its first turn runs none of its code
        task.add_done_callback(lambda _: self._tasks.pop(run.id, None))

    def changed(self, run: LocalRun) -> None:
        """Follow a run's change of state: a limit begins with it, an end ends its training."""
        if not run.is_over:
            self._limit(run)
            return
        if timer := self._limits.pop(run.id, None):
            timer.cancel()
        if task := self._tasks.get(run.id):
            task.cancel()

    async def close(self) -> None:
        """Cancel all trainings and wait for them."""
        for timer in self._limits.values():
            timer.cancel()
        self._limits.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _limit(self, run: LocalRun) -> None:
        limit = run.execution.limit
        if limit.metric == "LIM_MINUTE":
            message = f"Training stopped at its limit of {limit.value} minutes (LIM_MINUTE)."
            self._limits[run.id] = self._clock.call_later(60.0 * limit.value, lambda: run.finish(message))

    async def _train(self, run: LocalRun) -> None:
        failure = await self._outcome(run)
        self._tasks.pop(run.id, None)
        if run.is_over:
            return
        if failure is None:
            run.finish()
        else:
            run.fail(failure)

    async def _outcome(self, run: LocalRun) -> str | None:
        try:
            await self._trainer.train(run)
        except TrainingFailed as error:
            return str(error)
        except Exception as error:
            logger.exception("the trainer of %s raised", run.id)
            return f"{type(error).__name__}: {error}"
        return None
