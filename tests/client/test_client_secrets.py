"""The secret key stands nowhere but in the header: no log, repr, error, traceback, cause, pickle or redirect has it."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from scripted_api import (
    delete_workflow,
    drops,
    drops_in_the_answer,
    get_run,
    hangs,
    kill_run,
    says,
    serving,
    start_run,
)

import nexus_async
from nexus_async import Client, ConfigurationError, NexusError
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from scripted_api import ScriptedApi, Step

    from nexus_async import Project

virtual = pytest.mark.virtual_time
KEY = '5aa41e8ba/"secret"\\of+a=user'
FORMS = [KEY, json.dumps(KEY)[1:-1], quote(KEY, safe=""), repr(KEY)[1:-1]]
PACKAGE = nexus_async.__path__[0]


def frames_of(error: BaseException) -> Iterator[str]:
    """Show the locals of every frame of the package."""
    for frame in traceback.TracebackException.from_exception(error, capture_locals=True).stack:
        if frame.filename.startswith(PACKAGE):
            yield "\n".join(f"{frame.name}: {name}={value}" for name, value in (frame.locals or {}).items())


def chain_of(error: BaseException) -> Iterator[BaseException]:
    seen: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__]
    return iter(seen)


def all_that_is_told_of(error: BaseException) -> str:
    told = []
    for one in chain_of(error):
        told += [repr(one), str(one), repr(vars(one)), *frames_of(one), *getattr(one, "__notes__", [])]
        told += [str(pickle.dumps(one))] if isinstance(one, NexusError) else []
    return "\n".join(told)


def hides(told: str) -> bool:
    return not any(form in told for form in FORMS)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    for name in ("asyncio", "aiohttp", "nexus_async"):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def client_of(api: ScriptedApi, **options: Any) -> Client:
    return Client(KEY, endpoint=api.url, connector=VirtualConnector, jitter=lambda _: 0.0, **options)


async def echoes(request: web.Request) -> web.StreamResponse:
    """Repeat the key as it came, in a header and in what looks like an answer."""
    key = request.headers["Secret-Key"]
    told = {"id": [key], "status": {"overview": key}, "logs": [key]}
    return web.Response(text=json.dumps(told), headers={"X-Request-Id": key, "X-Echo": key, "ETag": key})


def refuses(status: int, headers: dict[str, str] | None = None) -> Step:
    """Repeat the key in a refusal, in every form that it may have in one."""

    async def step(request: web.Request) -> web.StreamResponse:
        key = request.headers["Secret-Key"]
        text = f"{key} {quote(key, safe='')} {json.dumps({'message': key})}"
        return web.Response(
            status=status, text=text, headers={"X-Request-Id": key, "Location": f"/{key}", **(headers or {})}
        )

    return step


def refuses_in_json(status: int) -> Step:
    async def step(request: web.Request) -> web.StreamResponse:
        key = request.headers["Secret-Key"]
        return web.json_response({"code": f"No{key}", "message": f"{key} is unknown"}, status=status)

    return step


FAILURES: dict[str, Step] = {
    **{f"text {status}": refuses(status) for status in (302, 400, 401, 403, 404, 409, 422, 500, 503, 524)},
    **{f"JSON {status}": refuses_in_json(status) for status in (401, 403, 500)},
    "429": refuses(429, {"Retry-After": "9999"}),
    "echo": echoes,
    "broken JSON": says(200, b"{"),
    "drop": drops,
    "drop in the answer": drops_in_the_answer,
    "hangs": hangs,
}
CALLS = [get_run, kill_run, start_run, delete_workflow]


@virtual
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("call", CALLS)
async def test_no_failure_of_a_call_tells_the_key(
    failure: str, call: Callable[[Project], Coroutine[Any, Any, object]], log: pytest.LogCaptureFixture
) -> None:
    asyncio.get_running_loop().set_debug(enabled=True)
    async with serving(FAILURES[failure]) as api, client_of(api, timeout=20).get_project("p") as project:
        with pytest.raises(NexusError) as caught:
            await call(project)
    assert hides(all_that_is_told_of(caught.value))
    assert hides(log.text)


@virtual
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("log_id", ["runlog_1", None])
async def test_no_failure_of_a_poll_tells_the_key(
    failure: str, log_id: str | None, log: pytest.LogCaptureFixture
) -> None:
    run = {"logIds": [log_id]} if log_id else {}
    first = says(200, {**json.loads(RUN_TEXT), **run}) if log_id else FAILURES[failure]
    async with serving(first, FAILURES[failure]) as api, client_of(api, timeout=9).get_project("p") as project:
        with pytest.raises(NexusError) as caught:
            await anext(project.runs.stream_logs("run_1", max_outage=20))
    assert hides(all_that_is_told_of(caught.value))
    assert hides(log.text)


RUN_TEXT = (
    '{"id": "run_1", "projectId": "p", "flowId": "f", "execution": {}, "createDate": 1, "updateDate": 1,'
    ' "status": {"overview": "Running", "message": "", "updateDate": 1}}'
)


@virtual
async def test_a_refused_connection_tells_no_key(log: pytest.LogCaptureFixture) -> None:
    async with Client(KEY, endpoint="http://127.0.0.1:9", connector=VirtualConnector) as client:
        with pytest.raises(NexusError) as caught:
            await client.get_info()
    assert hides(all_that_is_told_of(caught.value) + log.text)


@virtual
async def test_a_call_that_is_cancelled_tells_no_key() -> None:
    async with serving(hangs) as api, client_of(api) as client:
        call = asyncio.create_task(client.get_info())
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await call
    assert hides("".join(frames_of(caught.value)))


@virtual
async def test_a_failure_of_the_users_own_session_tells_no_key() -> None:
    async def fail(*_: object) -> None:
        raise ValueError("of the user's own")

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(fail)
    async with (
        serving(says()) as api,
        aiohttp.ClientSession(connector=VirtualConnector(), trace_configs=[trace]) as session,
    ):
        with pytest.raises(ValueError, match="own") as caught:
            await Client(KEY, endpoint=api.url, session=session).get_info()
    assert hides(all_that_is_told_of(caught.value))


@virtual
async def test_nothing_of_a_client_shows_its_key() -> None:
    async with serving(says()) as api, client_of(api) as client:
        project = client.get_project("p")
        await get_run(project)
        requester: Any = client._requester
        transport = requester._transport
        parts = [
            client,
            project,
            project.runs,
            requester,
            transport,
            transport.key,
            transport._pool,
            client.throttle,
        ]
        assert hides("".join(f"{part!r} {part}" for part in parts))
        assert hides(
            "".join(repr(vars(part)) for part in parts if hasattr(part, "__dict__") and part is not transport.key)
        )
        assert hides(repr(transport.key.json) + repr(transport.key.plain) + repr(transport.key.log))


BAD_ARGUMENTS: list[dict[str, Any]] = [
    {"endpoint": "ftp://nexus"}, {"timeout": 0}, {"attempts": 0},
    {"proxy": "socks5://p"}, {"ca_file": "/nowhere"}, {"certificate_file": "/nowhere"}, {"requests_per_second": 0},
    {"max_buffered_bytes": 0}, {"certificate_file": "/x", "private_key_file": "/y", "endpoint": "https://nexus"},
]  # fmt: skip


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=str)
@pytest.mark.parametrize("given", [True, False], ids=["given", "of the environment"])
def test_a_client_that_cannot_be_made_tells_no_key(
    arguments: dict[str, Any], given: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", KEY)
    with pytest.raises(ConfigurationError) as caught:
        Client(KEY if given else None, **arguments)
    assert hides("".join([str(caught.value), *frames_of(caught.value)]))


@pytest.mark.parametrize("key", [f"{KEY}\n", f"{KEY} ", KEY.encode()])
def test_a_key_that_cannot_be_used_is_not_told(key: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Client(key)
    assert hides("".join([str(caught.value), *frames_of(caught.value)]))


def test_a_word_that_is_no_log_level_tells_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", KEY)
    monkeypatch.setenv("NEXUS_ASYNC_LOG", "everything")
    with pytest.raises(ConfigurationError) as caught:
        Client()
    assert hides("".join([str(caught.value), *frames_of(caught.value)]))


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
async def test_no_redirect_is_followed_to_another_origin(
    status: int, call: Callable[[Project], Coroutine[Any, Any, object]]
) -> None:
    async with (
        serving(says()) as elsewhere,
        serving(says(status, headers={"Location": f"{elsewhere.url}/x"})) as api,
    ):
        async with Client(KEY, endpoint=api.url).get_project("p") as project:
            with pytest.raises(nexus_async.RedirectError):
                await call(project)
        assert (len(api.received), elsewhere.received) == (1, [])


@virtual
async def test_the_key_is_sent_as_it_is() -> None:
    async with serving(says()) as api, client_of(api).get_project("p") as project:
        await get_run(project)
        assert api.received[0].headers["Secret-Key"] == KEY
