"""A start is paid for: it is never sent twice once it may have been received."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from scripted_api import ANY, calling, drops, drops_in_the_answer, get_run, hangs, says, serving, start_run

from nexus_async import (
    BadRequestError,
    ConnectError,
    ConnectionLostError,
    ForbiddenError,
    InvalidAnswerError,
    InvalidArgumentError,
    OutcomeUnknownError,
    RedirectError,
    RequestError,
    RequestTimeoutError,
    Run,
    ServerError,
)
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from scripted_api import Step

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize("status", [500, 501, 502, 503, 504, 520, 524, 599])
async def test_a_start_is_sent_once_over_a_server_error(status: int) -> None:
    async with calling(says(status), says(201)) as (api, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert api.times == [0]
        assert isinstance(caught.value.reason, ServerError)


@pytest.mark.parametrize("drop", [drops, drops_in_the_answer])
async def test_a_start_is_sent_once_over_a_dropped_connection(drop: Step) -> None:
    async with calling(drop, says(201)) as (api, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert api.times == [0]
        assert isinstance(caught.value.reason, ConnectionLostError)


@pytest.mark.parametrize("drop", [drops, drops_in_the_answer])
async def test_a_start_is_sent_once_over_a_drop_of_a_connection_used_before(drop: Step) -> None:
    async with calling(says(), drop, says(201)) as (api, project):
        await get_run(project)
        with pytest.raises(OutcomeUnknownError):
            await start_run(project)
        assert [received.method for received in api.received] == ["GET", "POST"]


async def test_a_start_is_sent_once_over_a_silent_server() -> None:
    async with calling(hangs, says(201), read_timeout=4) as (api, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert api.times == [0]
        assert isinstance(caught.value.reason, RequestTimeoutError)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"<html>", b'{"id": "run_1"}'])
async def test_a_start_whose_answer_cannot_be_read_is_sent_once(body: bytes) -> None:
    async with calling(says(201, body), says(201)) as (api, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert api.times == [0]
        assert isinstance(caught.value.reason, InvalidAnswerError)
        assert caught.value.reason.body == body


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequestError), (403, ForbiddenError), (302, RedirectError)]
)
async def test_a_refused_start_is_known_not_to_have_happened(status: int, kind: type[RequestError]) -> None:
    async with calling(says(status), says(201)) as (api, project):
        with pytest.raises(kind):
            await start_run(project)
        assert api.times == [0]


async def test_a_server_error_after_a_429_leaves_the_outcome_unknown() -> None:
    async with calling(says(429), says(502), says(201)) as (api, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert caught.value.attempts == len(api.times) == 2


@pytest.mark.parametrize(
    "pool", [{"connector": lambda: VirtualConnector(limit=1)}, {"max_in_flight": 1}], ids=["connector", "client"]
)
async def test_a_start_that_waited_for_a_connection_in_vain_was_not_sent(pool: dict[str, Any]) -> None:
    async with calling(hangs, **pool, timeout=10, attempts=1) as (api, project):
        busy = asyncio.create_task(get_run(project))
        await asyncio.sleep(0.1)
        with pytest.raises(ConnectError):
            await start_run(project)
        await asyncio.gather(busy, return_exceptions=True)
        assert {received.method for received in api.received} == {"GET"}


async def test_an_unknown_outcome_tells_where_to_look() -> None:
    async with calling(says(502)) as (_, project):
        with pytest.raises(
            OutcomeUnknownError, match=r"^POST /projects/proj_1/runs: .*502.*runs\.find_started\(error\)"
        ):
            await start_run(project)


async def test_an_unknown_outcome_is_raised_from_its_reason() -> None:
    async with calling(says(502)) as (_, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
        assert caught.value.__cause__ is caught.value.reason


@pytest.mark.parametrize("flow_id", ["", " ", None, 7])
async def test_a_start_without_a_workflow_is_not_sent(flow_id: str) -> None:
    async with calling(says(201)) as (api, project):
        with pytest.raises(InvalidArgumentError, match="workflow"):
            await project.runs.start(flow_id, {"accelerator": {"name": "GPU_T4"}})
        assert api.times == []


async def test_a_start_with_an_unsound_setup_is_not_sent() -> None:
    async with calling(says(201)) as (api, project):
        with pytest.raises(InvalidArgumentError, match="acelerator"):
            await project.runs.start("flow_1", {"acelerator": {}})
        assert api.times == []


async def test_a_start_that_is_answered_gives_the_run() -> None:
    async with calling(says(201, ANY)) as (_, project):
        run = await start_run(project)
        assert isinstance(run, Run)
        assert run.id == "run_1"


async def test_a_start_is_sent_once_over_a_failure_of_the_users_own_session_after_the_answer() -> None:
    async def fail(*_: object) -> None:
        raise ValueError("of the user's own")

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(fail)
    async with serving(says(201, ANY)) as api:
        async with aiohttp.ClientSession(connector=VirtualConnector(), trace_configs=[trace]) as session:
            with pytest.raises(ValueError, match="of the user's own"):
                await start_run(api.client(session=session).get_project("p"))
        assert api.times == [0]
