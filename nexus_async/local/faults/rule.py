"""When a fault strikes: each request that is meant, some of them, or by a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from random import Random
    from types import TracebackType
    from typing import Self

    from aiohttp import web

    from nexus_async.local.clock import ServerClock
    from nexus_async.local.faults.fault import Fault
    from nexus_async.local.faults.routes import Route


class Plan(Protocol):
    """Decide what befalls the next of the requests that are meant."""

    def next(self) -> Fault | None:
        """Return the fault of a request that comes now; None is well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """Say which of the requests that are meant are struck; all of them where nothing is said.

    Raises `InvalidArgumentError` for what makes no sense.
    """

    chance: float = 1.0
    times: int | None = None
    every: int = 1
    skip: int = 0
    seconds: float | None = None

    def __post_init__(self) -> None:
        _check(0 < self.chance <= 1, f"chance={self.chance} must lie above 0 and not above 1, which is always")
        _check(self.times is None or self.times >= 1, f"times={self.times} must be at least 1; None is always")
        _check(self.every >= 1, f"every={self.every} must be at least 1, which is each request")
        _check(self.skip >= 0, f"skip={self.skip} must not be below 0: it counts requests")
        _check(
            self.seconds is None or self.seconds > 0, f"seconds={self.seconds} must be above 0; None is for ever"
        )


@dataclass(slots=True)
class Recurring:
    """Strike again and again, within its conditions."""

    fault: Fault
    conditions: Conditions
    random: Random
    clock: ServerClock
    begun: int | None
    """In the server's milliseconds; None is its start."""
    _seen: int = 0
    _struck: int = 0

    def next(self) -> Fault | None:
        when = self.conditions
        if not self._is_open():
            return None
        self._seen += 1
        later = self._seen - when.skip
        if later < 1 or later % when.every or self.random.random() >= when.chance:
            return None
        self._struck += 1
        return self.fault

    def _is_open(self) -> bool:
        times, seconds = self.conditions.times, self.conditions.seconds
        if times is not None and self._struck >= times:
            return False
        begun = self.clock.epoch if self.begun is None else self.begun
        return seconds is None or self.clock.now() < begun + seconds * 1000


@dataclass(slots=True)
class Script:
    """Give each request the next of `faults`, None for none, and nothing to those after the last."""

    faults: Sequence[Fault | None]
    _next: int = 0

    def next(self) -> Fault | None:
        if self._next >= len(self.faults):
            return None
        self._next += 1
        return self.faults[self._next - 1]


@dataclass(slots=True, eq=False)
class FaultRule:
    """Hold a fault that was added, until `remove`, or the end of a `with`."""

    _routes: Sequence[Route]
    _plan: Plan
    _remove: Callable[[FaultRule], None] = field(repr=False)
    struck: int = 0
    """How many requests it befell."""

    def remove(self) -> None:
        """Let no request be befallen any more; a second time does nothing."""
        self._remove(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()


def strike(rule: FaultRule, request: web.Request) -> Fault | None:
    """Return what a rule does to a request, and count it."""
    meant = any(route.takes(request) for route in rule._routes)  # noqa: SLF001 - the two are one idea
    fault = rule._plan.next() if meant else None  # noqa: SLF001 - the two are one idea
    rule.struck += fault is not None
    return fault


def _check(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - a condition
    if not holds:
        raise InvalidArgumentError(otherwise)
