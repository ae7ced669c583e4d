"""A requester over a transport that does what a test says, on virtual time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from pieces import Pieces

from nexus_async import (
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RedirectError,
    RequestError,
    RequestTimeoutError,
    ServerError,
)
from nexus_async.http.attempts import Observer
from nexus_async.http.key import SecretKey
from nexus_async.http.options import Options
from nexus_async.http.protocol import Answer, Request, get, post
from nexus_async.http.requester import Requester
from nexus_async.http.server_time import ServerTime
from nexus_async.http.throttle import Throttle
from nexus_async.http.waiting import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nexus_async.http.attempts import Attempt, Observation
    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

pytestmark = pytest.mark.virtual_time


class ScriptedTransport:
    """Bring the next outcome, after `seconds`, and the last one ever after."""

    def __init__(self, *outcomes: Answer | type[RequestError], seconds: float = 0) -> None:
        self.outcomes = outcomes
        self.seconds = seconds
        self.throttle = Throttle()
        self.key = SecretKey(None, headers={})
        self.server_time = ServerTime(time.time)
        self.sent: list[tuple[float, float]] = []
        self.turns: list[tuple[Turn | None, Kind]] = []
        self.closed = 0

    async def send(
        self,
        request: Request,
        *,
        within: float,
        turn: Turn | None = None,
        kind: Kind = Kind.CALL,
        observation: Observation | None = None,
    ) -> Answer:
        self.sent.append((round(asyncio.get_running_loop().time(), 3), round(within, 3)))
        self.turns.append((turn, kind))
        await asyncio.sleep(self.seconds)
        outcome = self.outcomes[min(len(self.sent), len(self.outcomes)) - 1]
        if isinstance(outcome, Answer):
            return outcome
        raise outcome("it broke", method=request.method, path=request.path)

    async def pour(
        self,
        request: Request,
        sink: Sink,
        *,
        within: float,
        turn: Turn | None = None,
        observation: Observation | None = None,
    ) -> Answer:
        answer = await self.send(request, within=within, turn=turn, kind=Kind.LOG, observation=observation)
        if answer.status == 200:
            sink.begin(etag=None, coding="identity", left_out=False, length=None, limit=100)
            sink.feed(answer.body)
        return answer

    def with_options(self, options: Options) -> ScriptedTransport:
        self.options = options
        return self

    async def aclose(self) -> None:
        self.closed += 1


def answer(status: int, body: bytes = b"7", headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(status, headers or {}, body)


def requester(transport: ScriptedTransport, *, timeout: float = 120, attempts: int = 3) -> Requester:
    return Requester(transport, options=Options(attempts=attempts, timeout=timeout), jitter=lambda pause: pause)


def number(body: bytes) -> int:
    return msgspec.json.decode(body, type=int)


async def test_a_call_gives_the_decoded_answer() -> None:
    assert await requester(ScriptedTransport(answer(200))).call(get("/x"), number) == 7


async def test_the_first_attempt_has_the_whole_timeout_and_each_next_what_is_left() -> None:
    transport = ScriptedTransport(answer(503), answer(503), answer(200), seconds=2)
    await requester(transport, timeout=30).call(get("/x"), number)
    assert transport.sent == [(0, 30), (2.5, 27.5), (5.5, 24.5)]


async def test_each_call_has_a_timeout_of_its_own() -> None:
    transport = ScriptedTransport(answer(200), seconds=2)
    calls = requester(transport, timeout=30)
    for _ in range(2):
        await calls.call(get("/x"), number)
    assert [within for _, within in transport.sent] == [30, 30]


async def test_each_call_begins_with_the_shortest_pause() -> None:
    transport = ScriptedTransport(answer(503), answer(200), answer(503), answer(200))
    calls = requester(transport)
    for _ in range(2):
        await calls.call(get("/x"), number)
    assert [at for at, _ in transport.sent] == [0, 0.5, 0.5, 1]


@pytest.mark.parametrize("failure", [ConnectError, ConnectionLostError, RequestTimeoutError])
async def test_a_failure_that_passes_is_forgotten(failure: type[RequestError]) -> None:
    assert await requester(ScriptedTransport(failure, answer(200))).call(get("/x"), number) == 7


@pytest.mark.parametrize("failure", [ConnectError, ConnectionLostError, RequestTimeoutError])
async def test_a_failure_that_stays_is_raised_with_its_attempts(failure: type[RequestError]) -> None:
    with pytest.raises(failure) as caught:
        await requester(ScriptedTransport(failure)).call(get("/x"), number)
    assert caught.value.attempts == 3


@pytest.mark.parametrize("failure", [ConnectionLostError, RequestTimeoutError, InvalidAnswerError])
async def test_what_must_not_be_repeated_has_an_unknown_outcome(failure: type[RequestError]) -> None:
    transport = ScriptedTransport(failure)
    with pytest.raises(OutcomeUnknownError) as caught:
        await requester(transport).call(post("/x", {}), number)
    assert type(caught.value.reason) is failure
    assert len(transport.sent) == 1


async def test_what_must_not_be_repeated_is_repeated_where_nothing_was_sent() -> None:
    assert await requester(ScriptedTransport(ConnectError, answer(200))).call(post("/x", {}), number) == 7


async def test_what_was_never_sent_has_a_known_outcome() -> None:
    with pytest.raises(ConnectError):
        await requester(ScriptedTransport(ConnectError)).call(post("/x", {}), number)


async def test_what_was_refused_has_a_known_outcome() -> None:
    with pytest.raises(RateLimitedError):
        await requester(ScriptedTransport(answer(429))).call(post("/x", {}), number)


async def test_an_answer_that_cannot_be_decoded_is_invalid_with_its_attempts() -> None:
    with pytest.raises(InvalidAnswerError) as caught:
        await requester(ScriptedTransport(answer(503), answer(200, b"{"))).call(get("/x"), number)
    assert (caught.value.attempts, caught.value.body) == (2, b"{")


async def test_a_single_attempt_is_not_repeated() -> None:
    transport = ScriptedTransport(answer(503))
    with pytest.raises(ServerError) as caught:
        await requester(transport).call_once(get("/x"), number)
    assert (len(transport.sent), caught.value.attempts) == (1, 1)


async def test_a_single_attempt_has_the_whole_timeout() -> None:
    transport = ScriptedTransport(answer(200))
    assert await requester(transport, timeout=30).call_once(get("/x"), number) == 7
    assert transport.sent == [(0, 30)]


async def test_a_body_is_handed_on_as_it_arrives() -> None:
    pieces = Pieces()
    transport = ScriptedTransport(answer(200, b"abc"))
    await requester(transport, timeout=30).read_once(get("/x"), pieces)
    assert (pieces.kept, transport.sent) == ([b"abc"], [(0, 30)])


async def test_reading_a_body_is_a_single_attempt() -> None:
    pieces = Pieces()
    transport = ScriptedTransport(answer(503, b"abc"))
    with pytest.raises(ServerError) as caught:
        await requester(transport).read_once(get("/x"), pieces)
    assert (pieces.kept, len(transport.sent), caught.value.attempts) == ([], 1, 1)


async def test_an_unchanged_body_may_be_left_out_where_a_validator_was_sent() -> None:
    await requester(ScriptedTransport(answer(304))).read_once(get("/x"), Pieces(if_none_match='"v1"'))


async def test_an_unchanged_body_that_nobody_knows_is_a_redirect() -> None:
    with pytest.raises(RedirectError):
        await requester(ScriptedTransport(answer(304))).read_once(get("/x"), Pieces())


async def test_a_pause_that_ends_at_the_deadline_is_not_begun() -> None:
    transport = ScriptedTransport(answer(503))
    with pytest.raises(ServerError):
        await requester(transport, timeout=0.5).call(get("/x"), number)
    assert len(transport.sent) == 1


async def test_a_call_is_no_poll() -> None:
    transport = ScriptedTransport(answer(200))
    await requester(transport).call(get("/x"), number)
    assert transport.turns == [(None, Kind.CALL)]


async def test_a_single_attempt_is_a_poll_with_the_turn_that_it_is_given() -> None:
    transport = ScriptedTransport(answer(200))
    with await transport.throttle.turn() as turn:
        await requester(transport).call_once(get("/x"), number, turn=turn)
        await requester(transport).read_once(get("/x"), Pieces(), turn=turn)
    assert transport.turns == [(turn, Kind.POLL), (turn, Kind.LOG)]


async def test_the_throttle_is_that_of_the_transport() -> None:
    transport = ScriptedTransport(answer(200))
    assert requester(transport).throttle is transport.throttle


async def test_a_refusal_is_raised_as_it_is() -> None:
    with pytest.raises(NotFoundError) as caught:
        await requester(ScriptedTransport(answer(404))).call(get("/x"), number)
    assert caught.value.path == "/x"


async def test_closing_closes_the_transport() -> None:
    transport = ScriptedTransport(answer(200))
    await requester(transport).aclose()
    assert transport.closed == 1


@pytest.mark.parametrize("name", ["call", "call_once", "read_once"])
async def test_nothing_is_sent_after_closing(name: str) -> None:
    transport = ScriptedTransport(answer(200))
    calls = requester(transport)
    await calls.aclose()
    with pytest.raises(ClientClosedError):
        await getattr(calls, name)(get("/x"), number)
    assert transport.sent == []


async def test_reopened_it_sends_again() -> None:
    calls = requester(ScriptedTransport(answer(200)))
    await calls.aclose()
    calls.reopen()
    assert await calls.call(get("/x"), number) == 7


async def test_closing_while_it_waits_ends_a_call() -> None:
    transport = ScriptedTransport(answer(429, headers={"Retry-After": "60"}))
    calls = requester(transport)
    waiting = asyncio.create_task(calls.call(get("/x"), number))
    await asyncio.sleep(1)
    await calls.aclose()
    with pytest.raises(ClientClosedError):
        await waiting
    assert len(transport.sent) == 1


async def test_an_attempt_of_a_loop_that_was_held_up_past_the_timeout_has_next_to_no_time() -> None:
    def hold_up(_: Attempt) -> None:
        loop: Any = asyncio.get_running_loop()
        loop._selector.clock.advance(100)

    transport = ScriptedTransport(ConnectionLostError)
    requester = Requester(transport, options=Options(timeout=10), observer=Observer(on_attempt=hold_up))
    with pytest.raises(ConnectionLostError):
        await requester.call(get("/runs"), bytes)
    assert [within for _, within in transport.sent] == [10, 0.001]  # 0 is no limit at all to aiohttp
