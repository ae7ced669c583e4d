"""Faults of logs: what was written before is other than it was, or gone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.behaviour import Order
from nexus_async.local.faults.bodies import ChangedBody, in_json

if TYPE_CHECKING:
    from aiohttp import web

    from nexus_async.local.faults.behaviour import Exchange, Handler


@dataclass(frozen=True)
class RewrittenLog:
    """Answer with a log whose entries from `first` on are others: each is a millisecond later."""

    order: ClassVar = Order.BODY
    first: int = 0

    def __post_init__(self) -> None:
        _check_count("first", self.first)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        return await ChangedBody(in_json(self._rewritten)).around(exchange, handler)

    def _rewritten(self, said: Any) -> Any:
        if not _is_log(said):
            return said
        later = [{**entry, "t": entry.get("t", 0) + 1} for entry in said["logs"][self.first :]]
        return {**said, "logs": said["logs"][: self.first] + later}


@dataclass(frozen=True)
class TruncatedLog:
    """Answer with the first `keep` entries of a log."""

    order: ClassVar = Order.BODY
    keep: int = 0

    def __post_init__(self) -> None:
        _check_count("keep", self.keep)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        return await ChangedBody(in_json(self._truncated)).around(exchange, handler)

    def _truncated(self, said: Any) -> Any:
        return {**said, "logs": said["logs"][: self.keep]} if _is_log(said) else said


def _is_log(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("logs"), list)


def _check_count(name: str, value: int) -> None:
    if value < 0:
        raise InvalidArgumentError(f"{name}={value} must not be below 0: it counts entries")
