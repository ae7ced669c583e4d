"""Small models that learn by passes over the data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Labels = npt.NDArray[np.int64]

_DIGITS = 10
_BATCH = 64
_PERCEPTRON = re.compile(r"perceptron (\d{1,4}(?:x\d{1,4}){0,3})")


class Model(Protocol):
    """Learn to tell digits."""

    def fit(self, images: Floats, digits: Labels) -> None:
        """Pass over the data once."""

    def scores(self, images: Floats) -> Floats:
        """Score each digit of each image, the likeliest highest."""

    def loss(self, scores: Floats, digits: Labels) -> float:
        """Tell how far scores are from the truth."""


def make_model(name: str, learning_rate: float, seed: int) -> Model:
    """Make the model of this name.

    Raises `InvalidArgumentError` for one that there is not, `ImportError` without scikit-learn.
    """
    if name == "logistic regression":
        return _logistic_regression(learning_rate, seed)
    if name == "least squares":
        return _LeastSquares(learning_rate, seed)
    if layers := _PERCEPTRON.fullmatch(name):
        return _perceptron(tuple(map(int, layers[1].split("x"))), learning_rate, seed)
    raise InvalidArgumentError(
        f"no model {name!r} for digits: use 'logistic regression', 'least squares', or 'perceptron' with "
        "its layers as in 'perceptron 32' or 'perceptron 64x32'"
    )


class _Classifier(Protocol):
    def partial_fit(self, images: Floats, digits: Labels, classes: range) -> object: ...

    def predict_proba(self, images: Floats) -> Floats: ...


class _Probabilistic:
    """A classifier of scikit-learn, whose loss is the mean negative logarithm of the truth's probability."""

    def __init__(self, classifier: _Classifier) -> None:
        self._classifier = classifier

    def fit(self, images: Floats, digits: Labels) -> None:
        self._classifier.partial_fit(images, digits, classes=range(_DIGITS))

    def scores(self, images: Floats) -> Floats:
        return self._classifier.predict_proba(images)

    def loss(self, scores: Floats, digits: Labels) -> float:
        import numpy as np  # noqa: PLC0415 - comes with scikit-learn

        of_truth = scores[np.arange(len(digits)), digits]
        return float(-np.log(np.clip(of_truth, 1e-15, 1.0)).mean())


class _LeastSquares:
    """Linear scores with a squared loss, by gradient descent on batches.

    Its learning rate has a bound that the data sets. Above it each batch makes the weights worse by a
    factor, and nothing here keeps them from infinity.
    """

    def __init__(self, learning_rate: float, seed: int) -> None:
        import numpy as np  # noqa: PLC0415 - comes with scikit-learn

        self._np = np
        self._learning_rate = learning_rate
        self._order = np.random.default_rng(seed)
        self._weights = np.zeros((65, _DIGITS))

    def fit(self, images: Floats, digits: Labels) -> None:
        truth = self._np.eye(_DIGITS)[digits]
        inputs = self._with_bias(images)
        order = self._order.permutation(len(digits))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            error = inputs[batch] @ self._weights - truth[batch]
            self._weights -= self._learning_rate * inputs[batch].T @ error / len(batch)

    def scores(self, images: Floats) -> Floats:
        scores: Floats = self._with_bias(images) @ self._weights
        return scores

    def loss(self, scores: Floats, digits: Labels) -> float:
        return float(((scores - self._np.eye(_DIGITS)[digits]) ** 2).sum(axis=1).mean() / 2)

    def _with_bias(self, images: Floats) -> Floats:
        return self._np.hstack([images, self._np.ones((len(images), 1))])


def _logistic_regression(learning_rate: float, seed: int) -> Model:
    from sklearn.linear_model import SGDClassifier  # noqa: PLC0415 - an extra, and slow to import

    return _Probabilistic(
        SGDClassifier(loss="log_loss", learning_rate="constant", eta0=learning_rate, random_state=seed)
    )


def _perceptron(layers: tuple[int, ...], learning_rate: float, seed: int) -> Model:
    from sklearn.neural_network import MLPClassifier  # noqa: PLC0415 - an extra, and slow to import

    settings = {"solver": "sgd", "batch_size": _BATCH, "learning_rate_init": learning_rate}
    return _Probabilistic(MLPClassifier(layers, random_state=seed, **settings))
