"""A confusion matrix: JSON text inside JSON, made into classes, counts and what follows from them.

Which axis is the prediction is not documented with the JSON. It is inferred: in
`{"id": A, "data": [{"x": B, "y": N}]}`, `id` is the predicted class and `x` the true one. The
reference's sample says so (every object of a model that finds nothing stands under the `id` Background),
and so does the product's picture of it. `RunConfusionMatrix.data` keeps the names as they came.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from nexus_async.errors import InvalidMatrixError
from nexus_async.models.base import Decoder, Model
from nexus_async.models.drawing import block, text
from nexus_async.models.heat_map import heat_map
from nexus_async.models.needed import needed
from nexus_async.models.plotting import plot_matrix

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

LONGEST_STEP: Final = 19
"""Digits of a step, at most."""
BACKGROUND: Final = "Background"
"""Stands for no object: as a prediction for one that was missed, as the truth for one that is not there."""


class ConfusionMatrix(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Hold the counts of one evaluation."""

    evaluation: str
    """Which evaluation this is, as the API names it: the step it was made at."""
    classes: tuple[str, ...]
    """The names of rows and columns, `Background` among them where the API sends it."""
    counts: tuple[tuple[float, ...], ...]
    """`counts[predicted][true]`, both in the order of `classes`; whole numbers until normalized."""

    def count(self, *, predicted: str, true: str) -> float:
        """Return how many objects of the class `true` were taken for `predicted`."""
        return self.counts[self._index(predicted)][self._index(true)]

    @property
    def precision(self) -> dict[str, float]:
        """Return, by class, the share of its predictions that are right; NaN where it was never predicted."""
        return {name: _share(self.counts[i][i], sum(self.counts[i])) for i, name in self._objects()}

    @property
    def recall(self) -> dict[str, float]:
        """Return, by class, the share of its objects that were found; NaN where there are none."""
        return {name: _share(self.counts[i][i], self._objects_of(i)) for i, name in self._objects()}

    @property
    def f1(self) -> dict[str, float]:
        """Return, by class, the harmonic mean of precision and recall; NaN where both lack."""
        return {
            name: _share(2 * self.counts[i][i], sum(self.counts[i]) + self._objects_of(i))
            for i, name in self._objects()
        }

    @property
    def accuracy(self) -> float:
        """Return the share of all counts that lie on the diagonal; NaN where there are none."""
        hits = sum(self.counts[i][i] for i in range(len(self.classes)))
        return _share(hits, sum(map(sum, self.counts)))

    def without_background(self) -> ConfusionMatrix:
        """Return the matrix of the real classes alone."""
        kept = [i for i, _ in self._objects()]
        return msgspec.structs.replace(
            self,
            classes=tuple(self.classes[i] for i in kept),
            counts=tuple(tuple(self.counts[i][j] for j in kept) for i in kept),
        )

    def normalized(self, over: Literal["true", "predicted", "all"] = "true") -> ConfusionMatrix:
        """Return shares in place of counts.

        `over="true"` makes each true class sum to 1 (the diagonal is recall), `"predicted"` each predicted one
        (the diagonal is precision), `"all"` the whole matrix. What sums to 0 stays 0.
        """
        if over not in {"true", "predicted", "all"}:
            raise InvalidMatrixError(f"normalized over {over!r}: choose 'true', 'predicted' or 'all'")
        return msgspec.structs.replace(
            self,
            counts=tuple(
                tuple(count / (self._total(over, i, j) or 1) for j, count in enumerate(row))
                for i, row in enumerate(self.counts)
            ),
        )

    def to_numpy(self) -> NDArray[np.float64]:
        """Return the counts as an array of floats, `[predicted, true]`, in the order of `classes`.

        Raises `ModuleNotFoundError` where numpy is not installed.
        """
        numpy = needed("numpy", "ConfusionMatrix.to_numpy()")
        array: NDArray[np.float64] = numpy.array(self.counts, dtype=float).reshape((len(self.classes),) * 2)
        return array

    def to_pandas(self) -> pd.DataFrame:
        """Return a data frame: a row a predicted class, a column a true one.

        Raises `ModuleNotFoundError` where pandas is not installed.
        """
        pandas = needed("pandas", "ConfusionMatrix.to_pandas()")
        predicted, true = (pandas.Index(self.classes, name=name) for name in ("predicted", "true"))
        return pandas.DataFrame(list(self.counts), index=predicted, columns=true)

    def plot(self, *, ax: Axes | None = None) -> Axes:
        """Draw a heat map with matplotlib, into `ax` or a new figure, and return the axes.

        Raises `ModuleNotFoundError` where matplotlib is not installed.
        """
        return plot_matrix(self.classes, self.counts, title=self._title(), ax=ax)

    def _repr_html_(self) -> str:
        return block(self._title(), "<br>", heat_map(self.classes, self.counts))

    def _title(self) -> str:
        return f"Confusion matrix, evaluation {self.evaluation}"

    def _total(self, over: str, predicted: int, true: int) -> float:
        match over:
            case "true":
                return self._objects_of(true)
            case "predicted":
                return sum(self.counts[predicted])
            case _:
                return sum(map(sum, self.counts))

    def _objects(self) -> list[tuple[int, str]]:
        return [(i, name) for i, name in enumerate(self.classes) if name != BACKGROUND]

    def _objects_of(self, true: int) -> float:
        return sum(row[true] for row in self.counts)

    def _index(self, name: str) -> int:
        try:
            return self.classes.index(name)
        except ValueError:
            raise InvalidMatrixError(f"no class {name!r}: there are {', '.join(self.classes)}") from None


class RunConfusionMatrix(Model, frozen=True, kw_only=True):
    """Hold the confusion matrices of a run, one for each evaluation."""

    object: str = "confusionMatrix"
    data: str | dict[str, Any]
    """The JSON text as received."""

    @property
    def evaluations(self) -> dict[str, ConfusionMatrix]:
        """Return the matrix of each evaluation, oldest first.

        Raises `InvalidMatrixError` where `data` makes no sense; `data` itself stays readable.
        """
        try:
            columns = _columns(self.data)
        except (msgspec.DecodeError, ValueError, RecursionError) as refusal:
            raise InvalidMatrixError(f"the confusion matrix is not what the API promises: {refusal}") from None
        return {name: _matrix(name, columns[name]) for name in sorted(columns, key=_age)}

    @property
    def latest(self) -> ConfusionMatrix:
        """Return the matrix of the last evaluation; raise `InvalidMatrixError` where there is none."""
        evaluations = self.evaluations
        if not evaluations:
            raise InvalidMatrixError("the run was not evaluated yet: its confusion matrix is empty")
        return list(evaluations.values())[-1]

    def _repr_html_(self) -> str:
        """Show the latest evaluation, or why there is none: a cell of a notebook raises nothing."""
        try:
            return self.latest._repr_html_()
        except InvalidMatrixError as refusal:
            return block("Confusion matrix", "<br>", text(refusal))


class _Cell(msgspec.Struct, gc=False):
    x: str
    y: int | float


class _Column(msgspec.Struct, gc=False):
    id: str
    data: list[_Cell]


def _columns(data: str | dict[str, Any]) -> dict[str, list[_Column]]:
    if isinstance(data, str):
        return _decode_columns(data)
    return msgspec.convert(data, dict[str, list[_Column]], strict=False)


def _matrix(evaluation: str, columns: list[_Column]) -> ConfusionMatrix:
    classes = tuple(column.id for column in columns)
    known = set(classes)
    if len(known) < len(classes):
        raise InvalidMatrixError(f"evaluation {evaluation}: a class stands twice among {', '.join(classes)}")
    counts = []
    for column in columns:
        cells = {cell.x: cell.y for cell in column.data}
        _check(evaluation, column, cells, known)
        counts.append(tuple(_whole(cells.get(name, 0)) for name in classes))
    return ConfusionMatrix(evaluation=evaluation, classes=classes, counts=tuple(counts))


def _check(evaluation: str, column: _Column, cells: dict[str, float], known: set[str]) -> None:
    where = f"evaluation {evaluation}, column {column.id!r}"
    if len(cells) < len(column.data):
        raise InvalidMatrixError(f"{where}: a row stands twice")
    if strange := cells.keys() - known:
        raise InvalidMatrixError(f"{where}: row {min(strange)!r} is no column")
    if wrong := [y for y in cells.values() if not 0 <= y < math.inf]:
        raise InvalidMatrixError(f"{where}: {wrong[0]} is no count")


def _age(evaluation: str) -> tuple[int, int, str]:
    """Sort evaluations named by a step by it, after those that are not."""
    return (
        (1, int(evaluation), evaluation)
        if evaluation.isdecimal() and len(evaluation) < LONGEST_STEP
        else (0, 0, evaluation)
    )


def _whole(count: float) -> float:
    return int(count) if count == int(count) else count


def _share(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


decode_matrix = Decoder(RunConfusionMatrix)
_decode_columns = Decoder(dict[str, list[_Column]])
