"""Events of a hub as server-sent ones: what a browser's `EventSource` takes."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from hub_pieces import checkpoint, checkpoints, driven

from nexus_async import Checkpoint, ConfigurationError, decode_event, encode_event
from nexus_async.streaming.hub.message import END, HEARTBEAT, OPENING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.virtual_time


async def chunks(stream: AsyncGenerator[bytes, None], count: int) -> list[bytes]:
    async with aclosing(stream):
        return [await anext(stream) for _ in range(count)]


def lines(sent: list[bytes], field: str) -> list[str]:
    text = b"".join(sent).decode().split("\n")
    return [line.removeprefix(f"{field}: ") for line in text if line.startswith(f"{field}: ")]


def steps(sent: list[bytes]) -> list[int]:
    events = [decode_event(data) for data in lines(sent, "data")]
    return [event.step for event in events if isinstance(event, Checkpoint)]


async def test_an_event_is_one_message_with_its_place_and_its_json() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        opening, message = await chunks(hub.sse(), 2)
        assert opening == OPENING
        assert message == f"id: {hub.place}\ndata: ".encode() + encode_event(checkpoint(1)) + b"\n\n"


async def test_each_event_is_encoded_once_for_all() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        (_, first), (_, second) = await chunks(hub.sse(), 2), await chunks(hub.sse(), 2)
        assert first is second


async def test_a_run_and_the_header_last_event_id_are_heeded() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1), checkpoint(2), checkpoint(3, "run_2"), checkpoint(4))
        [first] = lines(await chunks(hub.sse(), 2), "id")
        assert steps(await chunks(hub.sse("run_1", after=first), 3)) == [2, 4]


async def test_nothing_that_the_api_says_is_a_line_of_its_own() -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1, log_id="a\nid: b\r\x00\ud800"))
        _, message = await chunks(hub.sse(), 2)
        assert [line.partition(b":")[0] for line in message.splitlines()] == [b"id", b"data", b""]


@pytest.mark.parametrize("after", ["%ff", "\udcff", "", "Größe"])
async def test_an_id_that_no_hub_wrote_is_a_gap(after: str) -> None:
    async with driven() as (feed, hub):
        await feed.tell(checkpoint(1))
        _, lagged, message = await chunks(hub.sse(after=after), 3)
        assert b'"type":"Lagged"' in lagged
        assert (lines([lagged], "id"), steps([message])) == ([], [1])


async def test_what_comes_soon_after_an_event_is_sent_with_it() -> None:
    async with driven() as (feed, hub):
        stream = hub.sse(max_wait=0.5)
        await anext(stream)
        began = asyncio.get_running_loop().time()
        await feed.tell(*checkpoints(1, 2))
        assert steps([await anext(stream)]) == [1, 2]
        assert asyncio.get_running_loop().time() - began == pytest.approx(0.5, abs=0.01)


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
        [place] = lines(sent, "id")
        assert (steps(sent), sent.count(END)) == ([1], 0)
        assert sent[-1] == f'data: {{"v":1,"type":"Lagged","id":"{place}:lagged","after":"{place}"}}\n\n'.encode()
        assert steps(await chunks(hub.sse(after=place), 3)) == [2, 3]


async def test_where_the_hub_is_left_a_browser_is_to_come_again() -> None:
    async with driven() as (_, hub):
        stream = hub.sse()
        await anext(stream)
    assert [chunk async for chunk in stream] == []


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


@pytest.mark.parametrize("option", ["heartbeat", "max_wait"])
async def test_what_is_no_time_is_refused_at_once(option: str) -> None:
    async with driven() as (_, hub):
        with pytest.raises(ConfigurationError, match=f"{option}=-1"):
            hub.sse(**{option: -1})  # type: ignore[arg-type]  # either is a number
        assert hub.stats().subscribers == 0
