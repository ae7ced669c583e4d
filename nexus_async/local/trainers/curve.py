"""Curves that look like training, without any."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.identifiers import seeded
from nexus_async.local.trainers.clock import Clock, LoopClock, TrainingClock

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from nexus_async.local.run import LocalRun

_METRICS = ("totalLoss", "boxLoss", "classificationLoss", "distributedFocalLoss", "accuracy")
_OBJECTS = (302, 27, 22, 118, 64, 9)
"""How many objects there are of the classes of a project, over and over."""


class CurveTrainer:
    """Write seeded curves: losses that decay, scores that rise, both with noise.

    `steps` checkpoints are `interval` seconds of training apart, and `speed` is how many seconds of training
    pass in one of the loop's. Each run begins at a moment of its own within the first interval. A metric
    whose name ends in `Loss` decays, `totalLoss` is the sum of the others, and any other rises towards 1.
    `seed` and the run's ID decide the numbers. With a `clock` training time moves only by its `advance`.

    Raises `InvalidArgumentError` for an argument that is out of its range.
    """

    def __init__(
        self,
        *,
        steps: int = 100,
        interval: float = 10.0,
        speed: float = 1.0,
        seed: int = 0,
        metrics: Sequence[str] = _METRICS,
        clock: TrainingClock | None = None,
    ) -> None:
        if steps < 1:
            raise InvalidArgumentError(f"steps={steps} must be at least 1")
        if not interval >= 0:
            raise InvalidArgumentError(f"interval={interval} must not be below 0 seconds")
        if not metrics:
            raise InvalidArgumentError("metrics is empty: name at least one, such as totalLoss")
        if clock is not None and speed != 1.0:
            raise InvalidArgumentError(f"speed={speed} has no meaning with a clock that is moved by hand")
        self.speed = speed
        """Seconds of training in one second of the loop's time."""
        self.clock: Clock = LoopClock(speed) if clock is None else clock
        """What training time passes by."""
        self._steps = steps
        self._interval = interval
        self._seed = seed
        self._metrics = tuple(metrics)

    async def train(self, run: LocalRun) -> None:
        """Write the curves of one run."""
        numbers = seeded(self._seed, run.id)
        await self.clock.sleep(self._interval * numbers.random())
        curves = [_Curve(name, numbers) for name in self._metrics]
        run.begin()
        steps = run.epochs(self._steps)
        for step in steps:
            await self.clock.sleep(self._interval)
            progress = step / self._steps
            run.checkpoint(step, time=None, message=None, **_sample(curves, progress, numbers))
            if run.is_evaluated_at(step, steps[-1]):
                classes = run.workflow.classes
                run.evaluate(step, [*classes, "Background"], _confusion(len(classes), progress, numbers))


class _Curve:
    __slots__ = ("_end", "_noise", "_rate", "_start", "name")

    def __init__(self, name: str, numbers: random.Random) -> None:
        self.name = name
        falls = name.endswith("Loss")
        self._start = numbers.uniform(2.0, 20.0) if falls else numbers.uniform(0.02, 0.2)
        self._end = self._start * numbers.uniform(0.01, 0.1) if falls else numbers.uniform(0.8, 0.99)
        self._rate = numbers.uniform(3.0, 8.0)
        self._noise = numbers.uniform(0.005, 0.04)

    def at(self, progress: float, numbers: random.Random) -> float:
        decay = math.exp(-self._rate * progress)
        value = self._end + (self._start - self._end) * decay
        # the noise dies down with the learning rate, as it does in a real training
        value *= 1.0 + self._noise * (0.2 + decay) * numbers.gauss(0.0, 1.0)
        return _short(value if self.name.endswith("Loss") else min(value, 1.0))


def _sample(curves: Sequence[_Curve], progress: float, numbers: random.Random) -> dict[str, float]:
    values = {curve.name: curve.at(progress, numbers) for curve in curves}
    parts = [value for name, value in values.items() if name.endswith("Loss") and name != "totalLoss"]
    if "totalLoss" in values and parts:
        values["totalLoss"] = _short(sum(parts))
    return values


def _short(value: float) -> float:
    # five digits, as Nexus has them
    return float(f"{value:.5g}")


def _confusion(classes: int, progress: float, numbers: random.Random) -> list[list[int]]:
    """Count objects that are found more often, and as what they are, the further the training is."""
    counts = [[0] * (classes + 1) for _ in range(classes + 1)]
    for true in range(classes):
        objects = _OBJECTS[true % len(_OBJECTS)]
        found = round(objects * min(1.0, 0.9 * progress + 0.1 * numbers.random()))
        mistaken = round(found * 0.3 * (1.0 - progress) * numbers.random()) if classes > 1 else 0
        counts[true][true] = found - mistaken
        counts[(true + 1) % classes][true] += mistaken
        counts[classes][true] = objects - found
    return counts
