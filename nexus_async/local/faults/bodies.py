"""Faults of what is said: bodies that are not what the API promises."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec
from aiohttp import web

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.behaviour import SKEW, Order, whole

if TYPE_CHECKING:
    from nexus_async.local.faults.behaviour import Exchange, Handler

Change = Callable[[bytes], bytes]
_PIECE = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS
_TIMES = frozenset({"t", "createDate", "updateDate"})


@dataclass(frozen=True)
class ChangedBody:
    """Answer with another body, where the answer is a success."""

    order: ClassVar = Order.BODY
    change: Change

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = await whole(exchange, handler)
        if body is not None and answer.status == HTTPStatus.OK and isinstance(answer, web.Response):
            answer.body = self.change(body)
        return answer


@dataclass(frozen=True)
class GzipBomb:
    """Answer with a body that inflates to `size` bytes."""

    order: ClassVar = Order.BODY
    size: int = 64_000_000

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InvalidArgumentError(f"size={self.size} must be at least 1 byte")

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = await whole(exchange, handler)
        if body is not None and isinstance(answer, web.Response):
            answer.body = _bomb(self.size)
            answer.headers["Content-Encoding"] = "gzip"
        return answer


@dataclass(frozen=True)
class ClockSkew:
    """Tell every time wrong by as much."""

    order: ClassVar = Order.BODY
    seconds: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.seconds):
            raise InvalidArgumentError(f"seconds={self.seconds} is no skew: give a number, below 0 for the past")

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        exchange.request[SKEW] = self.seconds
        skewed = ChangedBody(in_json(lambda said: _shifted(said, round(self.seconds * 1000))))
        return await skewed.around(exchange, handler)


def broken(body: bytes) -> bytes:
    """Cut JSON off where it cannot end."""
    return body[: max(1, len(body) // 2)].rstrip(b"]}")


def empty(_: bytes) -> bytes:
    """Say nothing."""
    return b""


def mistyped(body: bytes) -> bytes:
    """Give each member of the outermost object, or of those in the outermost list, a value of another type."""
    return in_json(_mistyped)(body)


def in_json(change: Callable[[Any], Any]) -> Change:
    """Change what is said; a body that is no JSON stays as it is."""

    def changed(body: bytes) -> bytes:
        try:
            said = msgspec.json.decode(body)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return body
        return msgspec.json.encode(change(said))

    return changed


def _mistyped(said: object) -> object:
    if isinstance(said, list) and said:
        return [_mistyped(each) for each in said]
    if isinstance(said, dict) and said:
        return {name: 0 if isinstance(value, str) else "wrong" for name, value in said.items()}
    return 0 if isinstance(said, str) else "wrong"


def _shifted(said: Any, by: int) -> Any:
    if isinstance(said, list):
        return [_shifted(each, by) for each in said]
    if isinstance(said, dict):
        return {
            name: value + by if name in _TIMES and isinstance(value, int) else _shifted(value, by)
            for name, value in said.items()
        }
    return said


@lru_cache(maxsize=4)
def _bomb(size: int) -> bytes:
    packing = zlib.compressobj(wbits=_GZIP)
    whole_pieces, rest = divmod(size, _PIECE)
    piece = b" " * _PIECE
    packed = [packing.compress(piece) for _ in range(whole_pieces)]
    return b"".join((*packed, packing.compress(piece[:rest]), packing.flush()))
