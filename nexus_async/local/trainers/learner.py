"""One model in training, step by step, and what it is worth on data it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from nexus_async.local.trainers.models import make_model

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]

CLASSES = tuple("0123456789")
_HELD_OUT = 0.3
_BRIGHTEST = 16.0


@dataclass(frozen=True, kw_only=True, slots=True)
class StepResult:
    """Hold what one step came to."""

    metrics: dict[str, float]
    """The step's metrics, not finite ones included."""
    counts: list[list[int]]
    """The confusion matrix of the held-out part: `counts[predicted][true]`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Split:
    """Hold the images, a row of 64 pixels each, and their digits."""

    train_images: Floats
    train_digits: Labels
    held_images: Floats
    held_digits: Labels


@lru_cache(maxsize=4)
def load_split(seed: int) -> Split:
    """Load the digits and hold a part of them out; `seed` decides which."""
    from sklearn.datasets import load_digits  # noqa: PLC0415 - an extra, and slow to import
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    images, digits = load_digits(return_X_y=True)
    train_images, held_images, train_digits, held_digits = train_test_split(
        images / _BRIGHTEST, digits, test_size=_HELD_OUT, random_state=seed, stratify=digits
    )
    return Split(
        train_images=train_images, train_digits=train_digits, held_images=held_images, held_digits=held_digits
    )


class Learner:
    """Train one model on the digits.

    Raises `ImportError` without scikit-learn, `InvalidArgumentError` for a model that it does not know.
    """

    def __init__(self, model: str, learning_rate: float, seed: int) -> None:
        self._model = make_model(model, learning_rate, seed)
        self._split = load_split(seed)
        self._lost = False

    def step(self) -> StepResult:
        """Pass over the training data once, and measure."""
        import numpy as np  # noqa: PLC0415 - comes with scikit-learn

        # a training that diverges overflows, which is its result and no mishap
        with np.errstate(all="ignore"):
            self._fit()
            return self._measure()

    def _fit(self) -> None:
        if self._lost:
            return
        try:
            self._model.fit(self._split.train_images, self._split.train_digits)
        except ValueError:
            # scikit-learn refuses to go on with weights that are not finite
            self._lost = True

    def _measure(self) -> StepResult:
        split = self._split
        if self._lost:
            metrics = {"totalLoss": math.nan, "trainLoss": math.nan, "accuracy": 0.0}
            return StepResult(metrics=metrics, counts=_count([0] * len(split.held_digits), split.held_digits))
        held = self._model.scores(split.held_images)
        predicted = held.argmax(axis=1)
        metrics = {
            "totalLoss": self._model.loss(held, split.held_digits),
            "trainLoss": self._model.loss(self._model.scores(split.train_images), split.train_digits),
            "accuracy": float((predicted == split.held_digits).mean()),
        }
        return StepResult(metrics=metrics, counts=_count(predicted.tolist(), split.held_digits))


def _count(predicted: list[int], true: Labels) -> list[list[int]]:
    counts = [[0] * len(CLASSES) for _ in CLASSES]
    for guess, digit in zip(predicted, true.tolist(), strict=True):
        counts[guess][digit] += 1
    return counts
