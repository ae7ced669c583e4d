"""On what terms a feed follows."""

from __future__ import annotations

from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Literal

from nexus_async.config import (
    BUFFER,
    DISCOVERY_INTERVAL,
    DRAIN_TIMEOUT,
    SETTLE,
    positive,
    positive_count,
)
from nexus_async.errors import ConfigurationError
from nexus_async.pacing import Adaptive, check_pacing
from nexus_async.streaming.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nexus_async.logs import Beginning
    from nexus_async.models.run import Run
    from nexus_async.pacing import Pacing


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Hold the arguments of `watch` that concern every run. Raises `ConfigurationError` for nonsense."""

    include_ended: bool = False
    start: Literal["earliest", "latest"] = "earliest"
    since: float | datetime | None = None
    tail: int | None = None
    where: Callable[[Run], bool] | None = None
    ack: Literal["auto", "manual"] = "auto"
    buffer: int = BUFFER
    stop_when_all_ended: bool = False
    caught_up: bool = False
    pacing: Pacing = Adaptive()  # noqa: RUF009 - it holds its price and nothing else
    discovery_interval: float = DISCOVERY_INTERVAL
    settle: float = SETTLE
    drain_timeout: float = DRAIN_TIMEOUT

    def __post_init__(self) -> None:
        if self.start not in {"earliest", "latest"}:
            raise ConfigurationError(f"start={self.start!r} is neither 'earliest' nor 'latest'")
        if self.ack not in {"auto", "manual"}:
            raise ConfigurationError(f"ack={self.ack!r} is neither 'auto' nor 'manual'")
        if self.start == "latest" and (self.since is not None or self.tail is not None):
            raise ConfigurationError("start='latest' leaves out all that is there: leave out since and tail")
        if self.where is not None and not callable(self.where):
            raise ConfigurationError(f"where={self.where!r} is no function of a run")
        if iscoroutinefunction(self.where):
            raise ConfigurationError(f"where={self.where!r} is a coroutine function: pass a plain one")
        check_pacing(self.pacing)
        positive_count("buffer", self.buffer)
        for name in ("discovery_interval", "settle", "drain_timeout"):
            positive(name, getattr(self, name))
        Window(since=self.since, tail=self.tail)

    def beginning(self, *, is_later: bool) -> Beginning | None:
        """Return what is held back of a run without a cursor; `is_later`: it was not there at the beginning."""
        tail = 0 if self.start == "latest" else self.tail
        return Window(since=self.since, tail=None if is_later else tail).beginning
