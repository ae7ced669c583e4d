"""Choosing among runs by their status and by what they were started with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from nexus_async.cli.console import say
from nexus_async.cli.exits import UsageError
from nexus_async.cli.listing import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nexus_async.models.run import Run

_CONDITION: Final = re.compile(r"([\w.]+)(!?=)(.*)")
FIELDS: Final = {
    "flow": "flow_id",
    "status": "status.overview",
    "message": "status.message",
    "accelerator": "execution.accelerator.name",
    "count": "execution.accelerator.count",
    "strategy": "execution.checkpoint.strategy",
    "metric": "execution.checkpoint.metric",
    "limit": "execution.limit.metric",
    "value": "execution.limit.value",
}
"""What a condition may be about, and where it stands in a run."""


def warn_of_unknown(statuses: Iterable[str]) -> None:
    """Say which statuses are not known: most likely mistyped, and no error, since Nexus may get new ones."""
    known = {status.casefold() for status in STYLES}
    if unknown := [status for status in statuses if status.casefold() not in known]:
        say(f"nexus-async: no status is known as {', '.join(unknown)}; there are {', '.join(STYLES)}")


class Choice:
    """Take the runs that have one of the statuses and fulfil all conditions, `FIELD=VALUE` or `FIELD!=VALUE`.

    A run that was taken once is kept: it is followed to its end, whatever its status becomes. Raises `UsageError`
    for what is no condition.
    """

    def __init__(self, statuses: Sequence[str], conditions: Sequence[str]) -> None:
        self._statuses = {status.casefold() for status in statuses}
        self._conditions = [_read_condition(condition) for condition in conditions]
        self._taken: set[str] = set()
        self.titles: dict[str, str] = {}
        """What workflows are called, by their IDs: a condition may name either."""

    def __call__(self, run: Run) -> bool:
        if run.id not in self._taken and self._fits(run):
            self._taken.add(run.id)
        return run.id in self._taken

    def _fits(self, run: Run) -> bool:
        if self._statuses and run.status.overview.casefold() not in self._statuses:
            return False
        return all(self._has(run, field, value) is wanted for field, wanted, value in self._conditions)

    def _has(self, run: Run, field: str, value: str) -> bool:
        found = _value_of(run, field)
        return value == found or (field == FIELDS["flow"] and value == self.titles.get(found))


def _read_condition(text: str) -> tuple[str, bool, str]:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--where {text} is no condition: write FIELD=VALUE or FIELD!=VALUE, as in accelerator=GPU_T4"
        )
    name, sign, value = match.groups()
    if name not in FIELDS:
        raise UsageError(f"--where {text}: runs have no {name}; there are {', '.join(FIELDS)}")
    return FIELDS[name], sign == "=", value


def _value_of(run: Run, path: str) -> str:
    value: Any = run
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return "" if value is None else str(value)
