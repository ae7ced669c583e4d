"""What is compared of a run's log and of the events that were told of it, however many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import xxhash

if TYPE_CHECKING:
    from collections.abc import Mapping


class RunDigest:
    """Count checkpoints, and digest them in their order."""

    __slots__ = ("_digest", "count")

    def __init__(self) -> None:
        self.count = 0
        self._digest = xxhash.xxh3_64()

    def add(self, index: int, step: int, milliseconds: int, metrics: Mapping[str, float]) -> None:
        self.count += 1
        self._digest.update(msgspec.json.encode([index, step, milliseconds, sorted(metrics.items())]))

    def told(self) -> list[int | str]:
        return [self.count, self._digest.hexdigest()]
