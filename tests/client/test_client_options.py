"""Options of single calls: a view of a client or a project bounds its calls otherwise, and shares all else."""

from __future__ import annotations

import asyncio
import copy
import pickle
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from scripted_api import calling, get_run, hangs, says, serving
from test_client_arguments import TimedConnector

from nexus_async import (
    Client,
    ClientClosedError,
    ConfigurationError,
    RateLimitedError,
    RequestTimeoutError,
    ResponseTooLargeError,
    ServerError,
    Throttle,
)
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from nexus_async import Project

virtual = pytest.mark.virtual_time
of_both = pytest.mark.parametrize("of", ["client", "project"])


def now() -> float:
    return asyncio.get_running_loop().time()


def view(project: Project, client: Client, of: str, **options: Any) -> Project:
    """Take a project with other options, on either way to one."""
    return project.with_options(**options) if of == "project" else client.with_options(**options).get_project("p")


@virtual
@of_both
async def test_a_view_has_a_timeout_of_its_own(of: str) -> None:
    async with serving(hangs) as api, api.client(timeout=50) as client:
        with pytest.raises(RequestTimeoutError):
            await get_run(view(client.get_project("p"), client, of, timeout=3))
        assert now() == pytest.approx(3, abs=0.01)


@virtual
@of_both
async def test_a_view_has_a_read_timeout_of_its_own(of: str) -> None:
    async with serving(hangs) as api, api.client(attempts=1) as client:
        with pytest.raises(RequestTimeoutError, match="not a byte for 2 s"):
            await get_run(view(client.get_project("p"), client, of, read_timeout=2))


@virtual
@of_both
async def test_a_view_has_a_connect_timeout_of_its_own(of: str) -> None:
    seconds: list[float | None] = []
    async with serving(says()) as api, api.client(connector=lambda: TimedConnector(seconds)) as client:
        await get_run(view(client.get_project("p"), client, of, connect_timeout=4))
    assert seconds == [4]


@virtual
@of_both
async def test_a_view_has_attempts_of_its_own(of: str) -> None:
    async with serving(says(503)) as api, api.client() as client:
        with pytest.raises(ServerError):
            await get_run(view(client.get_project("p"), client, of, attempts=2))
        assert len(api.times) == 2


@virtual
@of_both
async def test_a_view_has_a_cap_on_pauses_of_its_own(of: str) -> None:
    async with serving(says(429, headers={"Retry-After": "8"})) as api, api.client() as client:
        with pytest.raises(RateLimitedError):
            await get_run(view(client.get_project("p"), client, of, retry_after_cap=7))
        assert api.times == [0]


@virtual
@of_both
async def test_a_view_has_a_cap_on_answers_of_its_own(of: str) -> None:
    async with serving(says()) as api, api.client() as client:
        with pytest.raises(ResponseTooLargeError, match="more than the 100 bytes"):
            await get_run(view(client.get_project("p"), client, of, max_response_bytes=100))


@virtual
async def test_a_client_has_a_cap_on_answers() -> None:
    async with calling(says(), max_response_bytes=100) as (_, project):
        with pytest.raises(ResponseTooLargeError, match=r"^GET /projects/proj_1/runs/run_1: .*with_options"):
            await get_run(project)


@virtual
async def test_a_view_leaves_its_client_as_it_is() -> None:
    async with calling(says(503)) as (api, project):
        project.with_options(attempts=1)
        with pytest.raises(ServerError):
            await get_run(project)
        assert len(api.times) == 3


@virtual
async def test_a_view_of_a_view_keeps_what_it_does_not_change() -> None:
    async with serving(says(503)) as api, api.client() as client:
        with pytest.raises(ServerError):
            await client.with_options(attempts=2).with_options(timeout=9).get_info()
        assert len(api.times) == 2


@virtual
async def test_views_share_session_throttle_and_budget_with_their_client() -> None:
    made: list[VirtualConnector] = []

    def connector() -> VirtualConnector:
        made.append(VirtualConnector())
        return made[-1]

    async with serving(says()) as api, api.client(connector=connector) as client:
        other = client.with_options(timeout=9)
        await get_run(client.get_project("p"))
        await get_run(other.get_project("p"))
        assert (len(made), client.throttle.requests, other.throttle) == (1, 2, client.throttle)
        assert other.stats() == client.stats()


@virtual
async def test_closing_a_view_closes_its_client_and_the_other_way_round() -> None:
    async with serving(says()) as api:
        client = api.client()
        async with client.with_options(timeout=9) as other:
            await get_run(other.get_project("p"))
        for closed in (client, other):
            with pytest.raises(ClientClosedError):
                await closed.get_info()
        async with client:
            await get_run(other.get_project("p"))


@pytest.mark.parametrize("name", ["timeout", "connect_timeout", "read_timeout", "retry_after_cap"])
@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan"), "5", True])
def test_an_option_that_makes_no_sense_is_refused_by_its_name(name: str, value: Any) -> None:
    client = Client("k")
    for refused in (client.with_options, client.get_project("p").with_options):
        with pytest.raises(ConfigurationError, match=f"^{name}="):
            refused(**{name: value})


@pytest.mark.parametrize("name", ["attempts", "max_response_bytes"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "5", True])
def test_a_count_that_makes_no_sense_is_refused_by_its_name(name: str, value: Any) -> None:
    for refused in (Client("k").with_options, lambda **given: Client("k", **given)):
        with pytest.raises(ConfigurationError, match=f"^{name}="):
            refused(**{name: value})


def test_no_option_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"changes nothing: give one of timeout, connect_timeout"):
        Client("k").with_options()


@pytest.mark.parametrize("beside", [{"connector": aiohttp.TCPConnector}, {"proxy": "http://proxy.example"}])
async def test_a_session_goes_with_no_connector_and_no_proxy(beside: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ConfigurationError, match="a session has its own"):
            Client("k", session=session, **beside)


@virtual
async def test_clients_share_a_session_and_a_throttle() -> None:
    throttle = Throttle(requests_per_second=1)
    async with serving(says()) as api, aiohttp.ClientSession(connector=VirtualConnector(limit=1)) as session:
        clients = [api.client(session=session, throttle=throttle) for _ in range(2)]
        for client in (*clients, *clients):
            await get_run(client.get_project("p"))
        await clients[0].aclose()
        await get_run(clients[1].get_project("p"))
        assert throttle.requests == len(api.received) == 5
        assert api.times == [0, 1, 2, 3, 4]


@virtual
async def test_a_given_connector_is_used_and_never_closed() -> None:
    async with serving(says()) as api, VirtualConnector() as connector:
        for _ in range(2):
            async with api.client(connector=connector) as client:
                await get_run(client.get_project("p"))
        assert not connector.closed


@pytest.mark.parametrize("of", [Client("key-of-a-user"), Client("key-of-a-user").get_project("p")], ids=type)
def test_a_client_is_not_pickled(of: object) -> None:
    for copied in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError, match="make one in each process"):
            copied(of)
