"""The client on real sockets: connections that are refused, dropped, garbled, silent or stale."""

from __future__ import annotations

import asyncio
import gc
import gzip
import weakref
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
import msgspec
import pytest
from aiohttp.abc import AbstractResolver
from pieces import Pieces
from raw_server import (
    ANSWER,
    ANSWER_AND_CLOSE,
    DROP_BEFORE,
    DROP_IN_BODY,
    DROP_IN_HEADERS,
    DROP_UNREAD,
    GARBAGE,
    RUN,
    SILENCE,
    WHOLE,
    Step,
    refusing_url,
    serving,
)
from transport_pieces import transport_to

from nexus_async import (
    Client,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    OutcomeUnknownError,
    RequestError,
    RequestTimeoutError,
)
from nexus_async.http.protocol import get, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nexus_async.http.protocol import Answer

SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}


@pytest.fixture(autouse=True)
async def _no_task_is_left() -> AsyncIterator[None]:
    yield
    assert asyncio.all_tasks() == {asyncio.current_task()}


broken = pytest.mark.parametrize(
    "drop", [DROP_BEFORE, DROP_IN_HEADERS, DROP_IN_BODY], ids=["before", "in the headers", "in the body"]
)


@broken
async def test_a_drop_is_a_lost_connection(drop: Step) -> None:
    async with serving(drop) as raw, raw.client(attempts=1) as client:
        with pytest.raises(ConnectionLostError, match="the connection broke"):
            await client.get_info()


@broken
async def test_a_get_goes_on_after_a_drop(drop: Step) -> None:
    async with serving(drop, ANSWER) as raw, raw.client().get_project("p") as project:
        assert (await project.runs.get("run_1")).id == "run_1"


@broken
async def test_a_patch_is_sent_again_after_a_drop(drop: Step) -> None:
    async with serving(drop, ANSWER) as raw, raw.client().get_project("p") as project:
        await project.runs.kill("run_1")
        assert raw.methods == ["PATCH", "PATCH"]


@broken
async def test_a_start_is_sent_once_over_a_drop(drop: Step) -> None:
    async with serving(drop, ANSWER) as raw, raw.client().get_project("p") as project:
        with pytest.raises(OutcomeUnknownError) as caught:
            await project.runs.start("flow_1", SETUP)
        assert raw.methods == ["POST"]
        assert isinstance(caught.value.reason, ConnectionLostError)


@broken
async def test_a_start_is_sent_once_over_a_kept_connection_that_drops(drop: Step) -> None:
    async with serving(ANSWER, drop, ANSWER) as raw, raw.client().get_project("p") as project:
        await project.runs.get("run_1")
        with pytest.raises(OutcomeUnknownError):
            await project.runs.start("flow_1", SETUP)
        assert raw.methods == ["GET", "POST"]
        assert raw.connections == 1


async def test_a_start_that_nobody_read_is_not_sent_again() -> None:
    async with serving(DROP_UNREAD, ANSWER) as raw, raw.client().get_project("p") as project:
        with pytest.raises(OutcomeUnknownError):
            await project.runs.start("flow_1", SETUP)
        assert raw.connections == 1


async def test_a_start_whose_answer_came_whole_is_a_start() -> None:
    async with serving(ANSWER_AND_CLOSE) as raw, raw.client().get_project("p") as project:
        assert (await project.runs.start("flow_1", SETUP)).id == "run_1"
        assert raw.methods == ["POST"]


async def test_gets_go_on_over_connections_that_close_after_each_answer() -> None:
    async with serving(ANSWER_AND_CLOSE) as raw, raw.client().get_project("p") as project:
        for _ in range(20):
            assert (await project.runs.get("run_1")).id == "run_1"


async def test_no_start_is_sent_twice_over_connections_that_close_after_each_answer() -> None:
    async with serving(ANSWER_AND_CLOSE) as raw, raw.client().get_project("p") as project:
        for asked in range(1, 21):
            try:
                await project.runs.start("flow_1", SETUP)
            except OutcomeUnknownError:
                continue
            finally:
                assert len(raw.requests) <= asked


async def test_a_kept_connection_is_used_again() -> None:
    async with serving(ANSWER) as raw, raw.client().get_project("p") as project:
        for _ in range(3):
            await project.runs.get("run_1")
        assert raw.connections == 1


async def test_an_answer_that_is_not_http_is_an_invalid_one() -> None:
    async with serving(GARBAGE) as raw, raw.client() as client:
        with pytest.raises(InvalidAnswerError, match="not HTTP") as caught:
            await client.get_info()
        assert len(str(caught.value).splitlines()) == 1


async def test_a_start_that_is_answered_with_garbage_is_sent_once() -> None:
    async with serving(GARBAGE, ANSWER) as raw, raw.client().get_project("p") as project:
        with pytest.raises(OutcomeUnknownError) as caught:
            await project.runs.start("flow_1", SETUP)
        assert raw.methods == ["POST"]
        assert isinstance(caught.value.reason, InvalidAnswerError)


async def test_a_refused_connection_names_the_endpoint() -> None:
    url = refusing_url()
    async with Client("k", endpoint=url, jitter=lambda _: 0) as client:
        with pytest.raises(ConnectError, match=url) as caught:
            await client.get_info()
        assert caught.value.attempts == 3


async def test_a_start_over_a_refused_connection_is_tried_again_and_then_known_not_to_be() -> None:
    async with Client("k", endpoint=refusing_url(), jitter=lambda _: 0).get_project("p") as project:
        with pytest.raises(ConnectError) as caught:
            await project.runs.start("flow_1", SETUP)
        assert caught.value.attempts == 3


class NoNames(AbstractResolver):
    """Know no host, without asking the network."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> NoReturn:
        raise OSError(f"{host} is unknown")

    async def close(self) -> None:
        pass


async def test_a_host_that_does_not_exist_is_a_connect_error() -> None:
    options: dict[str, Any] = {"connector": lambda: aiohttp.TCPConnector(resolver=NoNames()), "attempts": 1}
    async with Client("k", endpoint="http://nexus.invalid", **options) as client:
        with pytest.raises(ConnectError, match=r"nexus\.invalid"):
            await client.get_info()


async def test_a_server_that_never_answers_is_given_up_after_the_read_timeout() -> None:
    async with serving(SILENCE) as raw, raw.client(read_timeout=0.05, attempts=1) as client, asyncio.timeout(30):
        with pytest.raises(RequestTimeoutError, match="not a byte"):
            await client.get_info()


async def test_a_server_that_never_answers_is_given_up_after_the_timeout() -> None:
    async with serving(SILENCE) as raw, raw.client(timeout=1) as client, asyncio.timeout(30):
        with pytest.raises(RequestTimeoutError, match="no whole answer"):
            await client.get_info()


async def test_a_start_that_is_never_answered_is_sent_once() -> None:
    async with serving(SILENCE) as raw, raw.client(read_timeout=1).get_project("p") as project:
        with pytest.raises(OutcomeUnknownError) as caught:
            await project.runs.start("flow_1", SETUP)
        assert raw.methods == ["POST"]
        assert isinstance(caught.value.reason, RequestTimeoutError)


async def test_a_connect_timeout_bounds_a_handshake_that_is_never_answered() -> None:
    options = {"connect_timeout": 0.05, "attempts": 1}
    async with serving(SILENCE, scheme="https") as raw, raw.client(**options) as client, asyncio.timeout(30):
        with pytest.raises(ConnectError, match="stood in time"):
            await client.get_info()


async def test_a_pool_of_one_connection_is_free_after_calls_that_were_cancelled() -> None:
    async with serving(ANSWER) as raw, raw.client(max_in_flight=1).get_project("p") as project:
        for turns in range(30):
            call = asyncio.create_task(project.runs.get("run_1"))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            async with asyncio.timeout(30):
                assert (await project.runs.get("run_1")).id == "run_1"


async def test_a_body_is_handed_on_before_it_is_whole() -> None:
    pieces = Pieces()
    async with serving(DROP_IN_BODY) as raw:
        transport = transport_to(raw.url)
        with pytest.raises(ConnectionLostError):
            await transport.pour(post("/x", {}), pieces, within=5)
        await transport.aclose()
    assert b"".join(pieces.kept) == RUN[:-20]


async def test_a_body_that_was_handed_on_is_not_kept() -> None:
    pieces = Pieces()
    async with serving(ANSWER) as raw:
        transport = transport_to(raw.url)
        answer = await transport.pour(get("/x"), pieces, within=5)
        await transport.aclose()
    assert (answer.status, answer.body, b"".join(pieces.kept)) == (200, b"", RUN)


async def test_the_body_of_a_refusal_is_not_handed_on() -> None:
    pieces = Pieces()
    async with serving(Step(WHOLE.replace(b"200 OK", b"404 No", 1))) as raw:
        transport = transport_to(raw.url)
        answer = await transport.pour(get("/x"), pieces, within=5)
        await transport.aclose()
    assert (answer.status, answer.body, pieces.kept) == (404, RUN, [])


async def test_a_body_that_its_sink_cannot_decode_is_an_invalid_answer() -> None:
    class Refusing(Pieces):
        def feed(self, chunk: bytes) -> None:
            raise msgspec.DecodeError("no log")

    with pytest.raises(InvalidAnswerError, match="no log"):
        await pour(ANSWER, Refusing())


async def test_a_body_that_does_not_come_in_time_is_given_up_and_its_connection_too() -> None:
    async with serving(Step(WHOLE[:-20], breaks=False)) as raw:
        transport = transport_to(raw.url)
        with pytest.raises(RequestTimeoutError, match=r"no whole answer within 0\.05 s"):
            await transport.pour(get("/x"), Pieces(), within=0.05)
        assert transport.throttle.in_flight == 0
        await transport.aclose()


@pytest.mark.parametrize("pours", [True, False])
async def test_an_error_that_was_dealt_with_is_gone_before_any_pass_of_the_collector(pours: bool) -> None:
    async with serving(DROP_IN_BODY) as raw:
        transport = transport_to(raw.url)
        gc.disable()
        try:
            if pours:
                await transport.pour(get("/x"), Pieces(), within=5)
            else:
                await transport.send(get("/x"), within=5)
        except ConnectionLostError as error:
            left = weakref.ref(error)
        finally:
            gone = left() is None
            gc.enable()
        await transport.aclose()
    assert gone


async def pour(step: Step, pieces: Pieces) -> tuple[Answer, bytes]:
    """Ask once, and give the answer and what was asked."""
    async with serving(step) as raw:
        transport = transport_to(raw.url)
        try:
            return await transport.pour(get("/x"), pieces, within=5), raw.requests[0]
        finally:
            await transport.aclose()


async def test_a_sink_is_told_the_validator_of_a_body() -> None:
    pieces = Pieces()
    await pour(Step(WHOLE.replace(b"\r\n", b'\r\nETag: "v1"\r\n', 1), breaks=False), pieces)
    assert pieces.head == {
        "etag": '"v1"',
        "coding": "identity",
        "left_out": False,
        "length": len(RUN),
        "limit": 1_000_000,
    }


async def test_a_sink_that_has_a_validator_asks_with_it() -> None:
    pieces = Pieces(if_none_match='"v1"')
    answer, asked = await pour(Step(b"HTTP/1.1 304 Not Modified\r\n\r\n", breaks=False), pieces)
    assert b'If-None-Match: "v1"' in asked
    assert (answer.status, pieces.head["left_out"], pieces.kept) == (304, True, [])


async def test_a_sink_without_a_validator_asks_for_the_body() -> None:
    _, asked = await pour(ANSWER, Pieces())
    assert b"If-None-Match" not in asked


async def test_a_sink_asks_for_the_codings_that_it_knows_whatever_a_session_prefers() -> None:
    async with serving(ANSWER) as raw, aiohttp.ClientSession(headers={"Accept-Encoding": "br"}) as session:
        transport = transport_to(raw.url, session=session)
        await transport.pour(get("/x"), Pieces(), within=5)
    assert b"Accept-Encoding: gzip\r\n" in raw.requests[0]


async def test_a_sink_is_given_a_compressed_body_as_it_came() -> None:
    pieces, body = Pieces(), gzip.compress(RUN)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: GZIP\r\nContent-Length: %d\r\n\r\n" % len(body)
    _, asked = await pour(Step(head + body, breaks=False), pieces)
    assert (b"".join(pieces.kept), pieces.head["coding"]) == (body, "gzip")
    assert b"Accept-Encoding: gzip\r\n" in asked


async def test_a_compressed_refusal_of_a_body_is_inflated() -> None:
    body = gzip.compress(b'{"message": "no such log"}')
    head = b"HTTP/1.1 404 No\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    answer, _ = await pour(Step(head + body, breaks=False), Pieces())
    assert answer.body == b'{"message": "no such log"}'


async def test_an_answer_may_be_compressed() -> None:
    body = gzip.compress(RUN)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with serving(Step(head + body, breaks=False)) as raw, raw.client().get_project("p") as project:
        assert (await project.runs.get("run_1")).id == "run_1"


STRANGE = [
    b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 5000 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nabcd",
    b"HTTP/1.1 200 OK\r\nSet-Cookie: \xff=\xff; expires=x; max-age=x\r\nContent-Length: 1\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 20_000 + b"\r\n\r\n",
    b"HTTP/1.1 999 \xff\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 502 No\r\nRetry-After: " + b"9" * 400 + b"\r\nContent-Length: 1\r\n\r\n\xff",
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/9.9 abc\r\n\r\n",
    b"HTTP/1.1 200",
    b"\x00" * 100,
    b"\r\n\r\n",
]
strange = pytest.mark.parametrize("said", STRANGE, ids=lambda said: repr(said[-30:]))


@strange
async def test_whatever_a_server_says_a_start_is_sent_once(said: bytes) -> None:
    async with serving(Step(said), ANSWER) as raw, raw.client().get_project("p") as project:
        with pytest.raises(RequestError):
            await project.runs.start("flow_1", SETUP)
        assert raw.methods == ["POST"]


@strange
async def test_whatever_a_server_says_is_an_error_of_this_package(said: bytes) -> None:
    async with serving(Step(said)) as raw, raw.client(attempts=1) as client:
        with pytest.raises(RequestError):
            await client.get_info()


async def test_what_a_sink_raises_is_never_taken_for_a_connection_that_did_not_stand() -> None:
    class Refusing(Pieces):
        def feed(self, chunk: bytes) -> None:
            raise ValueError("no number")

    with pytest.raises((ValueError, InvalidAnswerError)):
        await pour(ANSWER, Refusing())
