"""The root of all errors."""

from __future__ import annotations

from typing import Any


class NexusError(Exception):
    """Be the root of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[NexusError], args: tuple[Any, ...], state: dict[str, Any]) -> NexusError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error
