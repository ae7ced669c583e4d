"""Answers that are too large: broken off at the cap, and a compression bomb before it costs anything."""

from __future__ import annotations

import asyncio
import gzip
import tracemalloc
import zlib
from contextlib import suppress
from functools import cache

import brotli  # type: ignore[import-untyped]  # it has no types
import pytest
from backports import zstd
from pieces import Pieces
from raw_server import ANSWER, RUN, Step, serving
from transport_pieces import transport_to

from nexus_async import (
    Client,
    ConnectionLostError,
    Feed,
    FixedInterval,
    FollowFailed,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RequestError,
    RequestTimeoutError,
    ResponseTooLargeError,
)
from nexus_async.http.bodies import LONGEST_REFUSAL
from nexus_async.http.inflation import BURST, BodyTooLargeError, Suspicion, check_ratio
from nexus_async.http.protocol import get

SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
TEN_GIGABYTES = 10_000_000_000
FOUR_MEGABYTES = 4_000_000


@cache
def bomb(coding: str) -> bytes:
    """Compress ten gigabytes of zeros: of most codings ever the same block, of which one is really made."""
    piece = bytes(1 << 26)
    times = TEN_GIGABYTES // len(piece)
    if coding == "zstd":
        return zstd.compress(piece) * times
    if coding == "br":
        br = brotli.Compressor(quality=1)
        return bytes(br.process(piece) + br.flush()) + bytes(br.process(piece) + br.flush()) * times
    packing = zlib.compressobj(1, zlib.DEFLATED, 31 if coding == "gzip" else 15)
    begin, block = (packing.compress(piece) + packing.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return begin + block * times


def head(body: bytes, *, coding: str = "identity", status: str = "200 OK") -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n" % (
        status.encode(), coding.encode(), len(body),
    )  # fmt: skip


def answering(body: bytes, *, coding: str = "identity", status: str = "200 OK") -> Step:
    return Step(head(body, coding=coding, status=status) + body, breaks=False)


codings = pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])


@codings
async def test_a_bomb_costs_a_call_little_and_ends_in_an_error_of_its_own(coding: str) -> None:
    step = answering(bomb(coding), coding=coding)
    async with serving(step, ANSWER) as raw, raw.client(max_in_flight=1).get_project("p") as project:
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError, match="compression bomb") as caught:
                await project.runs.get("run_1")
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < FOUR_MEGABYTES
        assert caught.value.attempts == len(raw.requests) == 1
        assert (await project.runs.get("run_1")).id == "run_1"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_bomb_costs_a_poll_of_a_log_little(coding: str) -> None:
    async with serving(answering(bomb(coding), coding=coding)) as raw:
        transport = transport_to(raw.url, max_response_bytes=256_000_000)
        tracemalloc.start()
        try:
            with pytest.raises(ResponseTooLargeError, match="compression bomb"):
                await transport.pour(get("/x"), Pieces(), within=20)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        await transport.aclose()
    assert peak < FOUR_MEGABYTES


@pytest.mark.parametrize(
    "coding", ["gzip", "deflate", "br", "zstd", "bare deflate", "x-gzip", "GZIP", "Identity"]
)
async def test_an_answer_may_be_coded(coding: str) -> None:
    coded = {
        "deflate": zlib.compress(RUN), "br": brotli.compress(RUN), "zstd": zstd.compress(RUN), "Identity": RUN,
        "bare deflate": zlib.compress(RUN)[2:-4],
    }.get(coding, gzip.compress(RUN))  # fmt: skip
    step = answering(coded, coding=coding.removeprefix("bare "))
    async with serving(step) as raw, raw.client().get_project("p") as project:
        assert (await project.runs.get("run_1")).id == "run_1"


async def test_an_answer_may_be_coded_in_several_members_and_come_in_any_pieces() -> None:
    body = gzip.compress(RUN[:50]) + gzip.compress(RUN[50:])
    pieces = b"".join(b"1\r\n%c\r\n" % byte for byte in body)
    said = (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" + pieces + b"0\r\n\r\n"
    )
    async with serving(Step(said, breaks=False)) as raw, raw.client().get_project("p") as project:
        assert (await project.runs.get("run_1")).id == "run_1"
        assert project._requester.throttle.received == len(body)


@codings
@pytest.mark.parametrize("over", [0, 1])
async def test_an_answer_is_bounded_as_it_is_when_inflated(coding: str, over: int) -> None:
    coded = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
    step, options = answering(coded[coding](RUN), coding=coding), {"max_response_bytes": len(RUN) - over}
    async with serving(step) as raw, raw.client(**options).get_project("p") as project:
        if not over:
            await project.runs.get("run_1")
            return
        with pytest.raises(ResponseTooLargeError, match=f"more than the {len(RUN) - 1} bytes"):
            await project.runs.get("run_1")


@pytest.mark.parametrize("length", [True, False], ids=["told", "not told"])
async def test_an_answer_is_bounded_as_it_comes(length: bool) -> None:
    body = b" " * 1_000_000 + RUN
    step = answering(body) if length else Step(b"HTTP/1.1 200 OK\r\n\r\n" + body)
    async with (
        serving(step) as raw,
        raw.client(max_response_bytes=1_000_000, attempts=1).get_project("p") as project,
    ):
        with pytest.raises(ResponseTooLargeError, match="more than the 1,000,000 bytes"):
            await project.runs.get("run_1")
        await project.with_options(max_response_bytes=len(body)).runs.get("run_1")


async def test_a_body_that_is_poured_is_bounded_as_it_comes() -> None:
    async with serving(Step(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 1000)) as raw:
        transport = transport_to(raw.url, max_response_bytes=999)
        with pytest.raises(ResponseTooLargeError):
            await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()


async def test_a_body_whose_length_is_too_large_is_not_poured_at_all() -> None:
    pieces = Pieces()
    async with serving(answering(b" " * 1000)) as raw:
        transport = transport_to(raw.url, max_response_bytes=999)
        with pytest.raises(ResponseTooLargeError):
            await transport.pour(get("/x"), pieces, within=5)
        await transport.aclose()
    assert (pieces.head, pieces.kept) == ({}, [])


async def test_a_start_whose_answer_is_too_large_has_an_unknown_outcome() -> None:
    async with serving(answering(RUN)) as raw, raw.client(max_response_bytes=10).get_project("p") as project:
        with pytest.raises(OutcomeUnknownError) as caught:
            await project.runs.start("flow_1", SETUP)
        assert isinstance(caught.value.reason, ResponseTooLargeError)
        assert raw.methods == ["POST"]


async def test_no_more_than_the_beginning_of_a_refusal_is_read() -> None:
    step = answering(b"x" * 50_000_000, status="404 No")
    async with serving(step, ANSWER) as raw, raw.client(max_in_flight=1).get_project("p") as project:
        with pytest.raises(NotFoundError, match=r"x{290}"):
            await project.runs.get("run_1")
        assert project._requester.throttle.received < 3_000_000  # what was on its way when enough had come
        await project.runs.get("run_1")


@codings
async def test_a_refusal_may_be_a_bomb_and_stays_a_refusal(coding: str) -> None:
    step = answering(bomb(coding), coding=coding, status="404 No")
    async with serving(step) as raw, raw.client().get_project("p") as project:
        tracemalloc.start()
        try:
            with pytest.raises(NotFoundError):
                await project.runs.get("run_1")
            assert tracemalloc.get_traced_memory()[1] < FOUR_MEGABYTES
        finally:
            tracemalloc.stop()


async def test_the_beginning_of_a_long_refusal_is_inflated() -> None:
    body = gzip.compress(b"no " * LONGEST_REFUSAL)
    async with serving(answering(body, coding="gzip", status="404 No")) as raw, raw.client() as client:
        with pytest.raises(NotFoundError, match="no no no"):
            await client.get_info()


@pytest.mark.parametrize(
    "fields",
    [
        b"X-Long: " + b"a" * 20_000 + b"\r\n",
        b"a" * 20_000 + b": x\r\n",
        b"".join(b"X-%d: a\r\n" % i for i in range(1000)),
        b"X-Endless: a\r\n" * 1_000_000,
    ],
    ids=["a long value", "a long name", "many", "no end"],
)
async def test_a_head_that_is_too_large_is_an_answer_that_is(fields: bytes) -> None:
    said = b"HTTP/1.1 200 OK\r\n" + fields + b"Content-Length: 0\r\n\r\n"
    async with serving(Step(said)) as raw, raw.client() as client:
        with pytest.raises(ResponseTooLargeError, match="the head of the answer is too large") as caught:
            await client.get_info()
        assert (caught.value.attempts, len(str(caught.value)) < 300) == (1, True)


@codings
@pytest.mark.parametrize("where", ["at once", "further on"])
async def test_a_body_that_is_not_coded_as_it_says_is_an_invalid_answer(coding: str, where: str) -> None:
    coded = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}[
        coding
    ]
    body = b"\x78abcdefgh" if where == "at once" else coded(bytes(range(256)) * 9)[:60] + b"\xff" * 60
    async with serving(answering(body, coding=coding), ANSWER) as raw, raw.client().get_project("p") as project:
        with pytest.raises(InvalidAnswerError):
            await project.runs.get("run_1")
        assert len(raw.requests) == 1
        await project.runs.get("run_1")


async def test_a_coding_that_was_not_asked_for_is_an_invalid_answer() -> None:
    async with serving(answering(RUN, coding="compress")) as raw, raw.client() as client:
        with pytest.raises(InvalidAnswerError, match="'compress', which was not asked for"):
            await client.get_info()


async def mid_body(first: bytes, then: bytes, timeout: float) -> RequestError:
    """Fail after a part of the body was read."""
    server: asyncio.Server

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError, asyncio.CancelledError):  # the client left
            for said in (first, then):
                writer.write(said)
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server, raw_client(server, timeout) as client:
        with pytest.raises(RequestError) as caught:
            await client.get_info()
    return caught.value


def raw_client(server: asyncio.Server, timeout: float) -> Client:
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return Client("k", endpoint=url, attempts=1, timeout=timeout)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n"


@pytest.mark.parametrize(
    ("first", "then", "kind"),
    [
        (CHUNKED, b"", ConnectionLostError),
        (CHUNKED, b"zz\r\n", RequestTimeoutError),  # aiohttp tells whoever reads nothing of it
        (CHUNKED, b"4\r\nabcdefgh", RequestTimeoutError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab", b"cd", ConnectionLostError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nab", b"", InvalidAnswerError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nab", b"", InvalidAnswerError),
    ],
    ids=["chunks end", "a chunk's length", "a chunk's end", "length too large", "no length", "two lengths"],
)
async def test_a_body_of_a_wrong_length_is_an_error_of_this_package(
    first: bytes, then: bytes, kind: type[RequestError]
) -> None:
    assert type(await mid_body(first, then, timeout=1 if kind is RequestTimeoutError else 60)) is kind


def test_what_grows_by_less_than_the_measure_is_no_bomb() -> None:
    check_ratio(BURST, 1)
    check_ratio(200 * BURST, BURST)
    with pytest.raises(BodyTooLargeError, match="compression bomb"):
        check_ratio(200 * BURST + 1, BURST)


def test_an_honest_body_raises_no_suspicion_in_whatever_pieces_it_comes() -> None:
    body = gzip.compress(b"".join(b'{"step": %d, "loss": %d}' % (i, i * 7919 % 1000) for i in range(100_000)))
    for size in (1, 1000, 5000, len(body)):
        look_at(body[: 20 * size], size)


def look_at(body: bytes, size: int) -> None:
    suspicion = Suspicion()
    for at in range(0, len(body), size):
        suspicion.feed(body[at : at + size])


def test_a_bomb_is_suspicious_in_whatever_pieces_it_comes() -> None:
    for size in (1000, 5000, 1 << 20):
        with pytest.raises(BodyTooLargeError):
            look_at(bomb("gzip")[: 1 << 20], size)


def test_what_is_no_gzip_is_left_to_whoever_reads_it() -> None:
    Suspicion().feed(b"no gzip at all" * 1000)


async def test_a_stream_ends_with_a_log_that_is_a_bomb() -> None:
    run = RUN.replace(b'"deleted"', b'"logIds": ["runlog_1"], "deleted"')
    steps = answering(run), answering(bomb("gzip"), coding="gzip")
    async with serving(*steps) as raw, raw.client().get_project("p") as project:
        with pytest.raises(ResponseTooLargeError, match=r"^GET /projects/proj_p/runs/logs/runlog_1: .*bomb"):
            await anext(project.runs.stream_logs("run_1"))


async def test_a_stream_ends_with_a_log_that_inflates_to_more_than_the_cap() -> None:
    run = RUN.replace(b'"deleted"', b'"logIds": ["runlog_1"], "deleted"')
    log = gzip.compress(
        b'{"id": "runlog_1", "logs": [%s]}' % b",".join([b'{"ev": "x", "t": 1, "pl": {}}'] * 1000)
    )
    steps = answering(run), answering(log, coding="gzip")
    async with serving(*steps) as raw, raw.client(max_response_bytes=10_000).get_project("p") as project:
        with pytest.raises(ResponseTooLargeError, match="more than the 10,000 bytes"):
            await anext(project.runs.stream_logs("run_1"))


async def test_a_stream_ends_with_a_small_bomb_too() -> None:
    run = RUN.replace(b'"deleted"', b'"logIds": ["runlog_1"], "deleted"')
    steps = answering(run), answering(gzip.compress(bytes(3_000_000)), coding="gzip")
    async with serving(*steps) as raw, raw.client().get_project("p") as project:
        with pytest.raises(ResponseTooLargeError, match=r"^GET /projects/proj_p/runs/logs/runlog_1: .*bomb"):
            await anext(project.runs.stream_logs("run_1"))


async def test_a_feed_tells_of_a_log_that_is_a_bomb() -> None:
    run = RUN.replace(b'"deleted"', b'"logIds": ["runlog_1"], "deleted"')
    steps = answering(run), answering(bomb("gzip"), coding="gzip")
    pacing = FixedInterval(0.01)
    async with serving(*steps) as raw, raw.client().get_project("p") as project, asyncio.timeout(30):
        errors = [event.error for event in await failures(project.runs.watch(["run_1"], pacing=pacing))]
    assert "compression bomb" in errors[0]


async def failures(feed: Feed) -> list[FollowFailed]:
    async with feed:
        async for event in feed:
            if isinstance(event, FollowFailed):
                return [event]
    return []
