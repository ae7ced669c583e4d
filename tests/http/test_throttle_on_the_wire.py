"""What transports, sources and clients do with a throttle."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import aiohttp
import pytest
from pieces import Pieces
from raw_server import ANSWER, DROP_IN_BODY, RUN, Step, serving
from transport_pieces import transport_to

from nexus_async import Client, ConnectError, InvalidArgumentError, RequestError, Throttle
from nexus_async.http.protocol import get
from nexus_async.http.waiting import Kind
from nexus_async.local import Fault
from nexus_async.resources.source import RunSource
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from nexus_async.local import LocalNexus

virtual = pytest.mark.virtual_time


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


async def test_a_request_uses_and_ends_the_turn_that_it_is_given() -> None:
    throttle = Throttle(max_in_flight=1)
    async with serving(ANSWER) as raw:
        transport = transport_to(raw.url, throttle)
        turn = await throttle.turn()
        await transport.send(get("/x"), within=5, turn=turn)
        await transport.aclose()
    assert (throttle.requests, throttle.in_flight, turn.received) == (1, 0, len(RUN))


async def test_a_log_that_is_asked_for_waits_for_bytes_and_a_call_does_not() -> None:
    throttle = Throttle(bytes_per_second=1)
    async with serving(ANSWER) as raw:
        transport = transport_to(raw.url, throttle)
        for _ in range(2):
            await transport.send(get("/x"), within=5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):  # a poll waits for its turn however long it takes
                await transport.send(get("/x"), within=5, kind=Kind.LOG)
        await transport.aclose()
        assert len(raw.requests) == 2


async def test_a_request_that_fails_ends_its_turn() -> None:
    throttle = Throttle()
    async with serving(Step()) as raw:
        transport = transport_to(raw.url, throttle)
        with pytest.raises(RequestError):
            await transport.send(get("/x"), within=5)
        await transport.aclose()
    assert throttle.in_flight == 0


async def test_bytes_of_a_body_that_breaks_off_are_charged() -> None:
    throttle = Throttle()
    async with serving(DROP_IN_BODY) as raw:
        transport = transport_to(raw.url, throttle)
        with pytest.raises(RequestError):
            await transport.pour(get("/x"), Pieces(), within=5)
        await transport.aclose()
    assert throttle.received == len(RUN) - 20


async def test_a_429_slows_the_throttle_by_what_it_asks() -> None:
    throttle = Throttle()
    refusal = b"HTTP/1.1 429 No\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n"
    async with serving(Step(refusal, breaks=False)) as raw:
        transport = transport_to(raw.url, throttle)
        await transport.send(get("/x"), within=5)
        with pytest.raises(ConnectError):
            await transport.send(get("/x"), within=0.01)
        await transport.aclose()
    assert throttle.rate_limited == 1


@virtual
async def test_a_turn_is_ended_where_nothing_can_be_asked(nexus_client: Client, local_nexus: LocalNexus) -> None:
    source = RunSource(nexus_client._requester, local_nexus.project_id)
    turn = await source.throttle.turn()
    with pytest.raises(InvalidArgumentError):
        await source.get_run("", turn=turn)
    assert source.throttle.in_flight == 0


@virtual
@pytest.mark.parametrize("name", ["get_run", "list_runs"])
async def test_a_poll_uses_the_turn_that_it_is_given(
    name: str, nexus_client: Client, local_nexus: LocalNexus
) -> None:
    run = local_nexus.start_run()
    source = RunSource(nexus_client._requester, local_nexus.project_id)
    turn = await source.throttle.turn()
    await getattr(source, name)(*([run.id] if name == "get_run" else []), turn=turn)
    assert turn.received > 0
    assert source.throttle.requests == 1


@virtual
async def test_a_client_spaces_its_requests(local_nexus: LocalNexus) -> None:
    async with client_for(local_nexus, requests_per_second=2) as client:
        times = []
        for _ in range(5):
            await client.get_info()
            times.append(now())
        assert times == pytest.approx([0, 0, 0.5, 1, 1.5], abs=0.01)


@virtual
async def test_a_client_sends_ten_requests_a_second_by_default(local_nexus: LocalNexus) -> None:
    async with client_for(local_nexus, throttle=Throttle()) as client:
        for _ in range(30):
            await client.get_info()
        assert now() == pytest.approx(2, abs=0.01)


@virtual
async def test_clients_that_share_a_throttle_share_its_rate(local_nexus: LocalNexus) -> None:
    throttle = Throttle(requests_per_second=1)
    async with (
        client_for(local_nexus, throttle=throttle) as one,
        client_for(local_nexus, throttle=throttle) as other,
    ):
        await asyncio.gather(*[client.get_info() for client in (one, other, one, other)])
        assert now() == pytest.approx(3, abs=0.01)
        assert one.throttle is other.throttle is throttle


@virtual
@pytest.mark.parametrize("name", ["requests_per_second", "max_in_flight", "bytes_per_second"])
async def test_a_client_makes_the_throttle_that_its_limits_say(name: str) -> None:
    client = Client("k", **{name: 7})  # type: ignore[arg-type]  # a name in a mapping
    assert getattr(client.throttle, name) == 7


@virtual
async def test_bytes_hold_up_a_log_and_no_status_or_list(local_nexus: LocalNexus) -> None:
    run = local_nexus.start_run()
    async with client_for(
        local_nexus, throttle=Throttle(requests_per_second=1e6, bytes_per_second=100)
    ) as client:
        source = RunSource(client._requester, local_nexus.project_id)
        with await source.throttle.turn() as turn:
            turn.received += 6000
        await source.get_run(run.id)
        await source.list_runs()
        await source.read_list(len)
        assert now() == 0
        await source.read_log(run.log_ids[0], Pieces())
        assert now() > 58


@virtual
async def test_a_call_overtakes_polls_that_hold_all_other_places(local_nexus: LocalNexus) -> None:
    runs = [local_nexus.start_run() for _ in range(6)]
    async with client_for(local_nexus, max_in_flight=4) as client:
        local_nexus.faults.add(Fault.blackhole(), on="get")
        project = client.get_project(local_nexus.project_id)
        polls = [asyncio.create_task(project.runs._source.get_run(run.id)) for run in runs]
        await asyncio.sleep(1)
        assert (client.throttle.in_flight, client.throttle.waiting) == (3, 3)
        await project.runs.kill(runs[0].id)
        assert now() == 1
        for poll in polls:
            poll.cancel()
        await asyncio.gather(*polls, return_exceptions=True)


async def test_calls_that_come_first_together_open_one_session() -> None:
    made: list[aiohttp.TCPConnector] = []

    def connector() -> aiohttp.TCPConnector:
        made.append(aiohttp.TCPConnector())
        return made[-1]

    async with serving(ANSWER) as raw, Client("k", endpoint=raw.url, connector=connector) as client:
        await asyncio.gather(*[client.get_project("p").runs.get("run_1") for _ in range(5)])
    assert len(made) == 1


async def test_the_middlewares_of_a_session_that_is_given_are_used() -> None:
    used: list[str] = []

    async def mine(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        used.append(request.method)
        return await handler(request)

    async with serving(ANSWER) as raw, aiohttp.ClientSession(middlewares=[mine]) as session:
        project = Client("k", endpoint=raw.url, session=session).get_project("p")
        await project.runs.get("run_1")
        await project.runs._source.get_run("run_1")
    assert used == ["GET", "GET"]
