"""What is safe to repeat is repeated, at known times; all on virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import (
    ANY,
    calling,
    delete_workflow,
    drops,
    drops_in_the_answer,
    get_run,
    hangs,
    kill_run,
    says,
    start_run,
)

from nexus_async import (
    Client,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    NotFoundError,
    Project,
    RateLimitedError,
    RequestError,
    RequestTimeoutError,
    ServerError,
)
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scripted_api import Step

    Call = Callable[[Project], Awaitable[object]]

pytestmark = pytest.mark.virtual_time

safe = pytest.mark.parametrize("call", [get_run, kill_run, delete_workflow])
every = pytest.mark.parametrize("call", [get_run, kill_run, delete_workflow, start_run])


@safe
@pytest.mark.parametrize("status", [500, 502, 503, 504, 520, 521, 522, 523, 524])
async def test_a_server_error_that_passes_is_asked_again_after_growing_pauses(call: Call, status: int) -> None:
    async with calling(says(status), says(status), says()) as (api, project):
        await call(project)
        assert api.times == [0, 0.5, 1.5]


@safe
@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 418, 422, 501, 505])
async def test_a_refusal_is_not_asked_again(call: Call, status: int) -> None:
    async with calling(says(status), says()) as (api, project):
        with pytest.raises(RequestError, match=str(status)):
            await call(project)
        assert api.times == [0]


@safe
@pytest.mark.parametrize("drop", [drops, drops_in_the_answer])
async def test_a_dropped_connection_is_tried_three_times(call: Call, drop: Step) -> None:
    async with calling(drop) as (api, project):
        with pytest.raises(ConnectionLostError) as caught:
            await call(project)
        assert caught.value.attempts == 3
        assert sorted(set(api.times)) == [0, 0.5, 1.5]


@safe
async def test_a_request_over_a_drop_is_sent_as_often_as_its_attempts_say(call: Call) -> None:
    async with calling(drops, attempts=1) as (api, project):
        with pytest.raises(ConnectionLostError):
            await call(project)
        assert api.times == [0]


async def test_a_poll_over_a_drop_is_sent_again_at_once_and_counted() -> None:
    async with calling(drops) as (api, project):
        source = project.runs._source
        with pytest.raises(ConnectionLostError) as caught:
            await source.get_run("run_1")
        assert caught.value.attempts == source.throttle.requests == len(api.received) == 2
        assert api.times == [0, 0]


async def test_a_refusal_after_a_drop_counts_the_request_that_was_dropped() -> None:
    async with calling(drops, says(503)) as (api, project):
        with pytest.raises(ServerError) as caught:
            await project.runs._source.get_run("run_1")
        assert caught.value.attempts == len(api.received) == 2


@safe
async def test_a_silent_server_is_asked_again(call: Call) -> None:
    async with calling(hangs, says(), read_timeout=4) as (api, project):
        await call(project)
        assert api.times == [0, 4.5]


class CountingConnector(VirtualConnector):
    """Write down when a connection is asked for."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self.times = times

    async def _create_connection(self, *args: Any) -> Any:
        self.times.append(round(asyncio.get_running_loop().time(), 3))
        return await super()._create_connection(*args)


def _client_of_nothing(times: list[float], **options: Any) -> Client:
    return Client("k", endpoint="http://127.0.0.1:9", connector=lambda: CountingConnector(times), **options)


@every
async def test_a_refused_connection_is_tried_three_times_even_for_a_start(call: Call) -> None:
    times: list[float] = []
    async with _client_of_nothing(times, jitter=lambda pause: pause).get_project("p") as project:
        with pytest.raises(ConnectError) as caught:
            await call(project)
    assert times == [0, 0.5, 1.5]
    assert caught.value.attempts == 3


async def test_a_seeded_jitter_gives_the_same_pauses_each_time() -> None:
    times: list[float] = []
    drawn, expected = Random(7), Random(7)
    async with _client_of_nothing(times, jitter=lambda pause: drawn.uniform(0, pause)) as client:
        with pytest.raises(ConnectError):
            await client.get_info()
    first = expected.uniform(0, 0.5)
    assert times == [0, round(first, 3), round(first + expected.uniform(0, 1), 3)]


async def test_pauses_are_of_full_jitter_by_default() -> None:
    seen = set()
    for _ in range(5):
        times: list[float] = []
        async with _client_of_nothing(times, attempts=2) as client:
            begin = asyncio.get_running_loop().time()
            with pytest.raises(ConnectError):
                await client.get_info()
        seen.add(pause := times[1] - begin)
        assert 0 <= pause <= 0.501
    assert len(seen) > 1


async def test_pauses_grow_to_eight_seconds_and_no_further() -> None:
    times: list[float] = []
    async with _client_of_nothing(times, jitter=lambda pause: pause, attempts=8) as client:
        with pytest.raises(ConnectError):
            await client.get_info()
    pauses = [after - before for before, after in pairwise(times)]
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]


@every
async def test_too_many_requests_is_asked_again_when_the_answer_says(call: Call) -> None:
    async with calling(says(429, headers={"Retry-After": "7"}), says()) as (api, project):
        await call(project)
        assert api.times == [0, 7]


@every
async def test_too_many_requests_without_a_pause_is_asked_again_after_that_of_the_throttle(call: Call) -> None:
    async with calling(says(429), says()) as (api, project):
        await call(project)
        assert api.times == [0, 1]


async def test_too_many_requests_hold_every_other_call_back_as_well() -> None:
    async with calling(says(429, headers={"Retry-After": "7"}), says(), attempts=1) as (api, project):
        with pytest.raises(RateLimitedError):
            await get_run(project)
        await kill_run(project)
        assert api.times == [0, 7]


async def test_a_pause_is_never_shorter_than_its_jitter() -> None:
    soon = says(429, headers={"Retry-After": "1"})
    async with calling(soon, says(), jitter=lambda _: 5.0) as (api, project):
        await get_run(project)
        assert api.times == [0, 5]


async def test_a_pause_until_a_date_counts_from_the_date_of_the_answer() -> None:
    headers = {"Date": "Wed, 17 Jan 2024 04:00:00 GMT", "Retry-After": "Wed, 17 Jan 2024 04:00:09 GMT"}
    async with calling(says(429, headers=headers), says()) as (api, project):
        await get_run(project)
        assert api.times == [0, 9]


async def test_an_unavailable_server_may_ask_for_a_pause_too() -> None:
    async with calling(says(503, headers={"Retry-After": "11"}), says()) as (api, project):
        await get_run(project)
        assert api.times == [0, 11]


async def test_each_429_counts_as_an_attempt() -> None:
    async with calling(says(429, headers={"Retry-After": "1"})) as (api, project):
        with pytest.raises(RateLimitedError) as caught:
            await start_run(project)
        assert caught.value.attempts == len(api.times) == 3


async def test_a_pause_that_the_timeout_does_not_allow_is_not_begun() -> None:
    async with calling(says(429, headers={"Retry-After": "60"}), timeout=59) as (_, project):
        with pytest.raises(RateLimitedError) as caught:
            await get_run(project)
        assert caught.value.retry_after == 60
        assert asyncio.get_running_loop().time() < 1


async def test_an_answer_that_cannot_be_read_is_not_asked_again() -> None:
    async with calling(says(200, b"{"), says()) as (api, project):
        with pytest.raises(InvalidAnswerError):
            await get_run(project)
        assert api.times == [0]


async def test_the_error_is_that_of_the_last_attempt() -> None:
    async with calling(says(503), says(404), says()) as (_, project):
        with pytest.raises(NotFoundError) as caught:
            await get_run(project)
        assert caught.value.attempts == 2


async def test_a_poll_of_a_stream_is_a_single_attempt() -> None:
    async with calling(says(503)) as (api, project):
        with pytest.raises(ServerError) as caught:
            await project.runs._source.get_run("run_1")
        assert caught.value.attempts == len(api.times) == 1


async def test_a_cancelled_pause_ends_at_once() -> None:
    async with calling(says(429, headers={"Retry-After": "60"}), says(200, ANY)) as (api, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_run(project), 10)
        await asyncio.sleep(100)
        assert api.times == [0]


async def test_what_is_left_of_the_timeout_bounds_the_last_attempt() -> None:
    async with calling(says(503), hangs, timeout=4) as (_, project):
        with pytest.raises(RequestTimeoutError) as caught:
            await get_run(project)
        assert asyncio.get_running_loop().time() == pytest.approx(4, abs=0.01)
        assert caught.value.attempts == 2
