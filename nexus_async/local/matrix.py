"""Confusion matrices in the wire's format."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

BACKGROUND = "Background"
MOST_EVALUATIONS = 1000
"""Of one run, so that memory is bounded: the oldest is forgotten for a new one."""


class ConfusionMatrices:
    """Collect the evaluations of one run, each encoded when it is added."""

    __slots__ = ("_evaluations",)

    def __init__(self) -> None:
        self._evaluations: dict[int, bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._evaluations)

    def add(self, step: int, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> None:
        """Add the evaluation at `step`; `counts[predicted][true]` follow the order of `classes`.

        Raises `InvalidArgumentError` where the counts are not a square of the classes' length.
        """
        size = len(classes)
        if len(counts) != size or any(len(row) != size for row in counts):
            raise InvalidArgumentError(
                f"counts must be {size} rows of {size} numbers, one for each of the classes {list(classes)}"
            )
        self._evaluations[step] = msgspec.json.encode(_columns(classes, counts))
        if len(self._evaluations) > MOST_EVALUATIONS:
            del self._evaluations[next(iter(self._evaluations))]

    def body(self) -> bytes:
        """Encode the answer: JSON text within JSON."""
        inner = b",".join(b'"%d":%b' % item for item in self._evaluations.items())
        return msgspec.json.encode({"object": "confusionMatrix", "data": f"{{{inner.decode()}}}"})


def _columns(classes: Sequence[str], counts: Sequence[Sequence[int]]) -> list[dict[str, object]]:
    table = {
        (predicted, true): int(count)
        for predicted, row in zip(classes, counts, strict=True)
        for true, count in zip(classes, row, strict=True)
    }
    names = [*(name for name in classes if name != BACKGROUND), BACKGROUND]
    return [
        {"id": predicted, "data": [{"x": true, "y": table.get((predicted, true), 0)} for true in names]}
        for predicted in names
    ]
