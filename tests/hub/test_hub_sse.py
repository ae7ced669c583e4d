"""Events of a hub as server-sent ones: what a browser's `EventSource` takes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from hub_pieces import checkpoint, checkpoints, driven

from nexus_async import ConfigurationError, decode_event, encode_event
from nexus_async.streaming.hub.message import END, HEARTBEAT, OPENING, message_of, quoted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.virtual_time


async def chunks(stream: AsyncGenerator[bytes, None], count: int) -> list[bytes]:
    async with aclosing(stream):
        return [await anext(stream) for _ in range(count)]


def ids(sent: list[bytes]) -> list[str]:
    return [line.removeprefix("id: ") for line in b"".join(sent).decode().split("\n") if line.startswith("id: ")]


async def test_an_event_is_one_message_with_its_id_and_its_json() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        opening, message = await chunks(hub.sse(), 2)
        assert opening == OPENING
        assert message == b"id: log:1\ndata: " + encode_event(checkpoint(1)) + b"\n\n"


async def test_each_event_is_encoded_once_for_all() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        (_, first), (_, second) = await chunks(hub.sse(), 2), await chunks(hub.sse(), 2)
        assert first is second


async def test_a_run_and_the_header_last_event_id_are_heeded() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1), checkpoint(2), checkpoint(3, "run_2"), checkpoint(4))
        assert ids(await chunks(hub.sse("run_1", after="log:1"), 3)) == ["log:2", "log:4"]


@pytest.mark.parametrize("log_id", ["a b", "Größe", "50%25", "a\nid: b", "\ud800", "a\x00\r"])
async def test_any_id_survives_a_line_and_a_header(log_id: str) -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1, log_id=log_id), checkpoint(2), checkpoint(3))
        [sent, *_] = ids(await chunks(hub.sse(), 4))
        assert sent.isascii()
        assert sent.isprintable()
        assert " " not in sent
        for after in (sent, f"{log_id}:1"):
            assert ids(await chunks(hub.sse(after=after), 3)) == ["log:2", "log:3"]


async def test_an_id_that_no_hub_wrote_is_a_gap() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        _, lagged, message = await chunks(hub.sse(after="%ff\udcff"), 3)
        assert b'"type":"Lagged"' in lagged
        assert ids([lagged, message]) == ["log:1"]


async def test_silence_is_broken_by_a_comment() -> None:
    async with driven() as (_, hub):
        began = asyncio.get_running_loop().time()
        assert await chunks(hub.sse(heartbeat=7.0), 3) == [OPENING, HEARTBEAT, HEARTBEAT]
        assert asyncio.get_running_loop().time() - began == pytest.approx(14)


async def test_the_end_of_the_feed_is_told_so_that_no_browser_comes_again() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        await feed.end()
        assert [chunk async for chunk in hub.sse()][-1] == END


async def test_who_is_too_slow_is_told_without_an_id_and_may_come_again() -> None:
    async with driven() as (feed, hub):
        stream = hub.sse(buffer=1)
        await feed.tell(*checkpoints(1, 2, 3))
        sent = [chunk async for chunk in stream]
        assert (ids(sent), sent.count(END)) == (["log:1"], 0)
        assert sent[-1] == b'data: {"v":1,"type":"Lagged","id":"log:1:lagged","after":"log:1"}\n\n'
        assert ids(await chunks(hub.sse(after="log:1"), 3)) == ["log:2", "log:3"]


async def test_what_ended_the_feed_is_raised() -> None:
    async with driven() as (feed, hub):
        await feed.tell(ConfigurationError("gone"))
        with pytest.raises(ConfigurationError, match="gone"):
            [chunk async for chunk in hub.sse()]


async def test_who_goes_away_is_not_subscribed_any_more() -> None:
    async with driven() as (_, hub):
        stream = hub.sse()
        await anext(stream)
        assert hub.stats().subscribers == 1
        await stream.aclose()
        assert hub.stats().subscribers == 0


async def test_a_heartbeat_that_is_no_time_is_refused_at_once() -> None:
    async with driven() as (_, hub):
        with pytest.raises(ConfigurationError, match="heartbeat=0"):
            hub.sse(heartbeat=0)
        assert hub.stats().subscribers == 0


def test_a_message_is_one_that_decodes_as_an_event() -> None:
    message = message_of(checkpoint(1))
    assert decode_event(message.split(b"data: ")[1].strip()) == checkpoint(1)


@pytest.mark.parametrize(("plain", "written"), [("log:1:ab-_.", "log:1:ab-_."), ("ü %", "%C3%BC%20%25")])
def test_an_id_is_written_as_it_is_where_that_is_safe(plain: str, written: str) -> None:
    assert quoted(plain) == written
