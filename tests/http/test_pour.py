"""What is done for the reading of a log as for any other request."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, NoReturn

import aiohttp
import pytest
from pieces import Pieces
from raw_server import ANSWER, DROP_BEFORE, WHOLE, Step, serving
from transport_pieces import transport_to

from nexus_async import Attempt, Client, ClientClosedError, ConnectError, RequestTimeoutError, Throttle
from nexus_async.http.key import SecretKey
from nexus_async.http.protocol import get
from nexus_async.testing import client_for
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.local import LocalNexus


async def test_a_log_that_is_sent_for_again_is_counted_and_charged() -> None:
    throttle = Throttle()
    async with serving(DROP_BEFORE, ANSWER) as raw:
        transport = transport_to(raw.url, throttle)
        answer = await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()
    assert (answer.sends, throttle.requests, throttle.in_flight) == (2, 2, 0)


async def test_a_log_over_a_session_that_was_given_counts_as_sent_once() -> None:
    async with serving(ANSWER) as raw, aiohttp.ClientSession() as session:
        answer = await transport_to(raw.url, session=session).pour(get("/x"), Pieces(), within=5)
    assert answer.sends == 1


async def test_the_key_is_asked_for_before_a_log_is() -> None:
    async with serving(ANSWER) as raw:
        transport = transport_to(raw.url)
        transport.key = SecretKey(lambda: "the-first", headers={})
        await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()
    assert b"Secret-Key: the-first\r\n" in raw.requests[0]


async def test_the_answer_that_is_a_log_tells_the_time() -> None:
    head = WHOLE.replace(b"\r\n", b"\r\nDate: Wed, 17 Jan 2024 04:40:44 GMT\r\n", 1)
    async with serving(Step(head, breaks=False)) as raw:
        transport = transport_to(raw.url)
        assert transport.server_time.at(time.time()) is None
        await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()
    assert transport.server_time.at(time.time()) is not None


async def test_a_validator_is_not_asked_with_again() -> None:
    async with serving(ANSWER, ANSWER) as raw:
        transport = transport_to(raw.url)
        await transport.pour(get("/x"), Pieces('"v1"'), within=5)
        await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()
    assert [b"If-None-Match" in asked for asked in raw.requests] == [True, False]


def client_with(nexus: LocalNexus, key: Callable[[], str], told: list[Attempt]) -> Client:
    return Client(key, endpoint=nexus.url, connector=VirtualConnector, on_attempt=told.append)


@pytest.mark.virtual_time
async def test_a_log_whose_first_key_is_refused_tells_of_an_attempt_with_the_next(
    local_nexus: LocalNexus,
) -> None:
    keys, told, run = ["an-old-key", local_nexus.secret_key], list[Attempt](), local_nexus.start_run()
    run.begin()
    async with client_with(local_nexus, lambda: keys.pop(0), told) as client:
        source = client.get_project(local_nexus.project_id).runs._source
        await source.read_log(run.open_log(), Pieces())
    assert [(attempt.number, attempt.status) for attempt in told] == [(1, 401), (2, 200)]


@pytest.mark.virtual_time
async def test_a_log_is_not_sent_for_again_by_a_client_that_was_closed_meanwhile(local_nexus: LocalNexus) -> None:
    told, keys = list[Attempt](), ["an-old-key", local_nexus.secret_key]

    def key() -> str:
        if len(keys) == 1:
            client._requester._door.is_closed = True
        return keys.pop(0)

    async with client_with(local_nexus, key, told) as client:
        source = client.get_project(local_nexus.project_id).runs._source
        with pytest.raises(ClientClosedError):
            await source.read_log("log_1", Pieces())
    assert [attempt.status for attempt in told] == [401]


class StuckConnector(VirtualConnector):
    """Never have a connection; write down how long each may take."""

    def __init__(self, seconds: list[float | None]) -> None:
        super().__init__()
        self.seconds = seconds

    async def _create_connection(self, req: Any, traces: Any, timeout: aiohttp.ClientTimeout) -> NoReturn:
        self.seconds.append(timeout.sock_connect)
        await asyncio.Event().wait()
        raise AssertionError


@pytest.mark.virtual_time
@pytest.mark.parametrize("path", ["runs/run_1", "runs/logs/log_1"])
@pytest.mark.parametrize(("connect_timeout", "bound"), [(3, 3), (30, 9)])
async def test_what_never_had_a_connection_is_told_so(
    path: str, connect_timeout: float, bound: float, local_nexus: LocalNexus
) -> None:
    seconds: list[float | None] = []
    options: dict[str, Any] = {"connector": lambda: StuckConnector(seconds), "connect_timeout": connect_timeout}
    async with client_for(local_nexus, timeout=10, **options) as client:
        requester, asked = client._requester, get(f"/projects/p/{path}")
        with pytest.raises(ConnectError, match="stood in time"):
            await (requester.read_once(asked, Pieces()) if "logs" in path else requester.call_once(asked, bytes))
    assert seconds == [bound]
    assert asyncio.get_running_loop().time() == pytest.approx(9, abs=0.01)


@pytest.mark.parametrize("name", ["send", "pour"])
async def test_a_request_of_a_cancelled_task_that_cleans_up_is_given_up_in_time(name: str) -> None:
    async with serving(Step(WHOLE[:-20], breaks=False)) as raw:
        transport = transport_to(raw.url)
        what = [get("/x")] if name == "send" else [get("/x"), Pieces()]
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)
        with pytest.raises(RequestTimeoutError):
            await getattr(transport, name)(*what, within=0.05)
        task.uncancel()
        await transport.aclose()
