"""Faults on the way: answers that come late, slowly, in part or not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

from aiohttp import web

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.behaviour import Order, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.local.faults.behaviour import Exchange, Handler

When = Literal["before", "in", "after"]
_PIECES_A_SECOND = 10


@dataclass(frozen=True)
class Latency:
    """Be late."""

    order: ClassVar = Order.DELAY
    seconds: float

    def __post_init__(self) -> None:
        _check_positive("seconds", self.seconds)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        await exchange.pause(self.seconds)
        return await handler(exchange.request)


@dataclass(frozen=True)
class Trickle:
    """Send the body slowly."""

    order: ClassVar = Order.DELIVERY
    bytes_per_second: float

    def __post_init__(self) -> None:
        _check_positive("bytes_per_second", self.bytes_per_second)

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = await whole(exchange, handler)
        if body is None:
            return answer
        slow = _promise(answer, len(body))
        await slow.prepare(exchange.request)
        for piece in self._pieces(body):
            await exchange.pause(len(piece) / self.bytes_per_second)
            await slow.write(piece)
        await slow.write_eof()
        return slow

    def _pieces(self, body: bytes) -> Iterator[bytes]:
        length = max(1, round(self.bytes_per_second / _PIECES_A_SECOND))
        return (body[start : start + length] for start in range(0, len(body), length))


@dataclass(frozen=True)
class Drop:
    """Break the connection."""

    order: ClassVar = Order.DELIVERY
    when: When = "before"

    def __post_init__(self) -> None:
        if self.when not in get_args(When):
            raise InvalidArgumentError(
                f"when={self.when!r} is no moment of an answer: give {', '.join(map(repr, get_args(When)))}"
            )

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = (web.Response(), None) if self.when == "before" else await whole(exchange, handler)
        if self.when == "in" and body is not None:
            answer = _promise(answer, len(body))
            await answer.prepare(exchange.request)
            await answer.write(body[: len(body) // 2])
        exchange.hang_up()
        return answer


@dataclass(frozen=True)
class WrongLength:
    """Promise another length than what comes."""

    order: ClassVar = Order.DELIVERY
    by: int = 10

    def __post_init__(self) -> None:
        if self.by == 0:
            raise InvalidArgumentError(
                "by=0 is the right length: give the bytes that are promised too many, or too few"
            )

    async def around(self, exchange: Exchange, handler: Handler) -> web.StreamResponse:
        answer, body = await whole(exchange, handler)
        if body is None:
            return answer
        wrong = _promise(answer, max(0, len(body) + self.by))
        await wrong.prepare(exchange.request)
        promised = wrong.content_length or 0
        await wrong.write(body[:promised])
        if promised > len(body):
            exchange.hang_up()
        elif exchange.request.transport is not None:
            # past aiohttp, which would keep what is over to itself
            exchange.request.transport.write(body[promised:])
        return wrong


def _promise(answer: web.StreamResponse, length: int) -> web.StreamResponse:
    """Make an answer like `answer` whose body is still to be sent."""
    headers = {name: value for name, value in answer.headers.items() if name.lower() != "content-length"}
    promise = web.StreamResponse(status=answer.status, headers=headers)
    promise.content_length = length
    return promise


def _check_positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise InvalidArgumentError(f"{name}={value} must be a number above 0")
