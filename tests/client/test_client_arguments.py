"""Each argument of a client does what it says."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from scripted_api import ANY, KEY, RUN, Crowd, calling, get_run, hangs, says, serving

from nexus_async import Client, FixedInterval, RateLimitedError, RequestTimeoutError, ServerError
from nexus_async.config import USER_AGENT
from nexus_async.testing import client_for
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from nexus_async.local import LocalNexus

virtual = pytest.mark.virtual_time


def now() -> float:
    return asyncio.get_running_loop().time()


@virtual
async def test_the_secret_key_is_sent() -> None:
    async with calling(says()) as (api, project):
        await get_run(project)
        assert api.received[0].headers["Secret-Key"] == KEY


@virtual
async def test_the_secret_key_is_read_from_the_environment_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", "of-the-environment")
    async with serving(says()) as api:
        client = Client(endpoint=api.url, connector=VirtualConnector)
        monkeypatch.setenv("DATATURE_SECRET_KEY", "too-late")
        async with client:
            await get_run(client.get_project("p"))
        assert api.received[0].headers["Secret-Key"] == "of-the-environment"


@virtual
async def test_a_given_key_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", "of-the-environment")
    async with calling(says()) as (api, project):
        await get_run(project)
        assert api.received[0].headers["Secret-Key"] == KEY


def test_the_endpoint_is_read_from_the_environment_when_the_client_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATATURE_API_BASE_URL", "https://nexus.example")
    client = Client("k")
    monkeypatch.setenv("DATATURE_API_BASE_URL", "https://late.example")
    assert client.endpoint == "https://nexus.example"


def test_a_given_endpoint_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_API_BASE_URL", "https://nexus.example")
    assert Client("k", endpoint="https://mine.example").endpoint == "https://mine.example"


def test_nexus_itself_is_the_last_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATATURE_API_BASE_URL", raising=False)
    assert Client("k").endpoint == "https://api.datature.io"


@virtual
@pytest.mark.parametrize("slash", ["", "/"])
async def test_a_path_of_the_endpoint_is_kept(slash: str) -> None:
    async with serving(says()) as api, api.client(endpoint=f"{api.url}/nexus/v2{slash}") as client:
        await get_run(client.get_project("proj_1"))
        assert api.received[0].path == "/nexus/v2/projects/proj_1/runs/run_1"


@virtual
async def test_the_client_names_itself_and_its_version() -> None:
    async with calling(says()) as (api, project):
        await get_run(project)
        assert api.received[0].headers["User-Agent"] == USER_AGENT
        assert USER_AGENT.startswith("nexus-async/")


@virtual
async def test_a_timeout_bounds_one_attempt() -> None:
    async with calling(hangs, timeout=5) as (_, project):
        with pytest.raises(RequestTimeoutError):
            await get_run(project)
        assert now() == pytest.approx(5, abs=0.01)


@virtual
async def test_a_timeout_bounds_attempts_and_pauses_together() -> None:
    async with calling(says(503), timeout=4, attempts=50) as (api, project):
        with pytest.raises(ServerError):
            await get_run(project)
        assert api.times == [0, 0.5, 1.5, 3.5]


@virtual
async def test_a_call_takes_two_minutes_at_most_by_default() -> None:
    async with calling(hangs, read_timeout=1000) as (_, project):
        with pytest.raises(RequestTimeoutError):
            await get_run(project)
        assert now() == pytest.approx(120, abs=0.01)


@virtual
async def test_a_read_timeout_bounds_a_silence() -> None:
    async with calling(hangs, read_timeout=3, attempts=1) as (_, project):
        with pytest.raises(RequestTimeoutError, match="not a byte for 3 s"):
            await get_run(project)
        assert now() == pytest.approx(3, abs=0.01)


@virtual
async def test_reading_a_followed_log_is_bounded_as_a_whole_alone() -> None:
    log = {"id": "runlog_1", "logs": [{"ev": "trainingCheckpoint", "t": 1, "pl": {"step": 7}}]}
    run = says(200, {**msgspec.to_builtins(RUN), "logIds": ["runlog_1"]})

    async def late(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(9)
        return web.json_response(log)

    async with calling(run, late, read_timeout=3, timeout=20) as (_, project):
        assert (await anext(project.runs.stream_logs("run_1"))).step == 7
        assert 9 <= now() < 10


async def trickles(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for piece in (b" ", b" ", b" ", b" ", msgspec.json.encode(RUN)):
        await asyncio.sleep(2)
        await response.write(piece)
    return response


@virtual
async def test_an_answer_that_trickles_is_not_silent() -> None:
    async with calling(trickles, read_timeout=3) as (_, project):
        await get_run(project)
        assert now() > 9


@virtual
@pytest.mark.parametrize("attempts", [1, 2, 5])
async def test_attempts_are_as_many_as_asked_for(attempts: int) -> None:
    async with calling(says(503), attempts=attempts) as (api, project):
        with pytest.raises(ServerError) as caught:
            await get_run(project)
        assert len(api.times) == caught.value.attempts == attempts


@virtual
async def test_a_pause_above_the_cap_is_raised_at_once() -> None:
    async with calling(says(429, headers={"Retry-After": "8"}), says(), retry_after_cap=7) as (_, project):
        with pytest.raises(RateLimitedError) as caught:
            await get_run(project)
        assert caught.value.retry_after == 8
        assert now() < 1


@virtual
async def test_a_pause_up_to_the_cap_is_made() -> None:
    async with calling(says(429, headers={"Retry-After": "7"}), says(), retry_after_cap=7) as (api, project):
        await get_run(project)
        assert api.times == [0, 7]


@virtual
async def test_a_pause_above_two_minutes_is_raised_at_once_by_default() -> None:
    async with calling(says(429, headers={"Retry-After": "121"}), says(), timeout=1000) as (api, project):
        with pytest.raises(RateLimitedError):
            await get_run(project)
        assert api.times == [0]


@pytest.mark.parametrize("limit", [1, 3])
async def test_no_more_requests_are_under_way_than_allowed(limit: int) -> None:
    crowd = Crowd(limit)
    async with calling(crowd, max_in_flight=limit) as (_, project):
        await asyncio.gather(*[get_run(project) for _ in range(8)])
        assert crowd.peak == limit


async def test_thirty_two_requests_are_under_way_at_once_by_default() -> None:
    crowd = Crowd(32)
    async with calling(crowd) as (_, project):
        await asyncio.gather(*[get_run(project) for _ in range(40)])
        assert crowd.peak == 32


@virtual
async def test_a_given_session_is_used_and_never_closed() -> None:
    async with (
        serving(says()) as api,
        aiohttp.ClientSession(connector=VirtualConnector(), headers={"X-Mine": "yes"}) as session,
    ):
        async with api.client(session=session) as client:
            await get_run(client.get_project("p"))
        assert api.received[0].headers["X-Mine"] == "yes"
        assert not session.closed


@virtual
async def test_a_given_session_serves_again_after_the_client_was_closed() -> None:
    async with serving(says()) as api, aiohttp.ClientSession(connector=VirtualConnector()) as session:
        client = api.client(session=session)
        for _ in range(2):
            async with client:
                await get_run(client.get_project("p"))
        assert len(api.received) == 2


@virtual
async def test_a_given_session_does_not_decide_on_time() -> None:
    short = aiohttp.ClientTimeout(total=1)
    async with (
        serving(hangs) as api,
        aiohttp.ClientSession(connector=VirtualConnector(), timeout=short) as session,
        api.client(session=session, timeout=9) as client,
    ):
        with pytest.raises(RequestTimeoutError):
            await client.get_info()
        assert now() == pytest.approx(9, abs=0.01)


@virtual
async def test_a_connector_is_made_at_first_use_and_again_after_closing() -> None:
    made: list[VirtualConnector] = []

    def connector() -> VirtualConnector:
        made.append(VirtualConnector())
        return made[-1]

    async with serving(says()) as api:
        client = api.client(connector=connector)
        assert not made
        for _ in range(2):
            async with client:
                await get_run(client.get_project("p"))
                await get_run(client.get_project("p"))
    assert [one.closed for one in made] == [True, True]


@virtual
async def test_jitter_turns_a_pause_into_the_one_that_is_made() -> None:
    asked: list[float] = []

    def jitter(pause: float) -> float:
        asked.append(pause)
        return 20.0

    async with calling(says(503), says(503), says(), jitter=jitter) as (api, project):
        await get_run(project)
        assert (asked, api.times) == ([0.5, 1.0], [0, 20, 40])


@virtual
async def test_jitter_spreads_the_polls_of_a_stream_over_an_outage_too() -> None:
    asked: list[float] = []

    def jitter(pause: float) -> float:
        asked.append(pause)
        return pause

    async with calling(says(503), jitter=jitter) as (_, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(project.runs.stream_logs("run_1")), 60)
    assert asked


@virtual
@pytest.mark.parametrize("listed", [False, True])
async def test_the_clock_tells_how_long_a_run_is_over(local_nexus: LocalNexus, listed: bool) -> None:
    run = local_nexus.start_run()
    run.finish()
    later = local_nexus.now() / 1000 + 3600
    async with client_for(local_nexus, clock=lambda: later) as client:
        project = (await client.list_projects())[0] if listed else client.get_project(local_nexus.project_id)
        begin = now()
        stream = project.runs.stream_logs(run.id, pacing=FixedInterval(5, jitter=0), settle=50)
        assert [checkpoint async for checkpoint in stream] == []
        assert now() - begin < 50


async def test_no_cookie_is_kept() -> None:
    async with serving(says(headers={"Set-Cookie": "session=1"})) as api:
        named = api.url.replace("127.0.0.1", "localhost")  # aiohttp keeps none of an address
        async with api.client(endpoint=named).get_project("p") as project:
            await get_run(project)
            await get_run(project)
        assert "Cookie" not in api.received[1].headers


@virtual
async def test_a_body_is_sent_as_json() -> None:
    async with calling(says(200, ANY)) as (api, project):
        await project.runs.kill("run_1")
        assert api.received[0].headers["Content-Type"] == "application/json"
        assert api.received[0].body == b'{"status":"Cancelled"}'


class TimedConnector(VirtualConnector):
    """Write down how long a connection may take."""

    def __init__(self, seconds: list[float | None]) -> None:
        super().__init__()
        self.seconds = seconds

    async def _create_connection(self, req: Any, traces: Any, timeout: aiohttp.ClientTimeout) -> Any:
        self.seconds.append(timeout.sock_connect)
        return await super()._create_connection(req, traces, timeout)


@virtual
@pytest.mark.parametrize(
    ("options", "bound"),
    [({}, 10), ({"connect_timeout": 3}, 3), ({"connect_timeout": 30, "timeout": 10}, 9)],
    ids=["by default", "as asked for", "within the timeout"],
)
async def test_a_connect_timeout_bounds_each_connection(options: dict[str, float], bound: float) -> None:
    seconds: list[float | None] = []
    async with calling(says(), connector=lambda: TimedConnector(seconds), **options) as (_, project):
        await get_run(project)
    assert seconds == [bound]


@virtual
async def test_a_silence_may_last_a_minute_by_default() -> None:
    async with calling(hangs, attempts=1) as (_, project):
        with pytest.raises(RequestTimeoutError, match="not a byte for 60 s"):
            await get_run(project)
        assert now() == pytest.approx(60, abs=0.01)
