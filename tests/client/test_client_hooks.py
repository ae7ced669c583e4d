"""What a client tells of its calls and attempts, on virtual time."""

from __future__ import annotations

import asyncio
import logging
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import KEY, answers_after, calling, drops, drops_in_the_answer, get_run, hangs, says, start_run

from nexus_async import (
    Attempt,
    Call,
    Client,
    ClientClosedError,
    ConfigurationError,
    NotFoundError,
    OutcomeUnknownError,
    RequestError,
    RequestTimeoutError,
    ServerError,
    Throttle,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time

BODY = b'{"code": "NoSuchThing", "message": "a secret of the body"}'


class Told:
    """Keep what is told of calls and attempts, in turn."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.calls: list[Call] = []
        self.attempts: list[Attempt] = []
        self.ends: list[BaseException | None] = []

    def on_attempt(self, attempt: Attempt) -> None:
        self.order.append("attempt")
        self.attempts.append(attempt)

    @contextmanager
    def on_call(self, call: Call) -> Iterator[Callable[[Attempt], None]]:
        self.calls.append(call)
        self.order.append("begin")
        try:
            yield self.on_attempt
        except BaseException as error:
            self.ends.append(error)
            raise
        else:
            self.ends.append(None)
        finally:
            self.order.append("end")


async def attempts_of(*steps: Any, call: Any = get_run, **options: Any) -> list[Attempt]:
    told = Told()
    async with calling(*steps, on_attempt=told.on_attempt, **options) as (_, project):
        with suppress(RequestError):
            await call(project)
    return told.attempts


async def test_an_attempt_tells_what_was_asked_and_what_came() -> None:
    headers = {"X-Request-Id": "req-7"}
    [attempt] = await attempts_of(says(body=b'{"a": 1}', headers=headers), clock=lambda: 1700000000.0)
    assert attempt == Attempt(
        method="GET", path="/projects/proj_1/runs/run_1", poll=False, number=1, began=1700000000.0, waited=0.0,
        seconds=0.0, status=200, error="InvalidAnswerError", received=8, request_id="req-7", retry_in=None,
    )  # fmt: skip


async def test_a_success_has_no_error() -> None:
    [attempt] = await attempts_of(says())
    assert (attempt.status, attempt.error, attempt.request_id) == (200, None, None)


async def test_each_attempt_tells_when_the_next_is_made() -> None:
    told = await attempts_of(drops_in_the_answer, says(503), says())
    assert [(a.number, a.status, a.error, a.retry_in) for a in told] == [
        (1, None, "ConnectionLostError", 0.5),
        (2, 503, "ServerError", 1.0),
        (3, 200, None, None),
    ]


async def test_the_last_of_failed_attempts_tells_of_no_next() -> None:
    told = await attempts_of(says(503))
    assert [a.retry_in for a in told] == [0.5, 1.0, None]


async def test_an_attempt_tells_how_long_it_took() -> None:
    [attempt] = await attempts_of(answers_after(3))
    assert attempt.seconds == pytest.approx(3, abs=0.01)


async def test_an_attempt_tells_how_long_it_waited_for_its_turn() -> None:
    told = Told()
    throttle = Throttle(requests_per_second=0.5)
    async with calling(says(), on_attempt=told.on_attempt, throttle=throttle) as (_, project):
        await asyncio.gather(get_run(project), get_run(project))
    assert [round(a.waited, 3) for a in told.attempts] == [0, 2]
    assert told.attempts[1].seconds < 1


async def test_an_attempt_that_the_throttle_never_let_through_took_no_time() -> None:
    told = Told()
    throttle = Throttle(requests_per_second=0.001)
    async with calling(says(), on_attempt=told.on_attempt, throttle=throttle, timeout=5, attempts=1) as (
        _,
        project,
    ):
        await get_run(project)
        with suppress(RequestError):
            await get_run(project)
    last = told.attempts[-1]
    assert (last.error, last.seconds, round(last.waited, 3)) == ("ConnectError", 0, 4.5)


async def test_a_start_that_may_have_arrived_is_told_by_what_left_it_open() -> None:
    told = Told()
    async with calling(drops, on_attempt=told.on_attempt, on_call=told.on_call) as (_, project):
        with pytest.raises(OutcomeUnknownError):
            await start_run(project)
    assert {a.error for a in told.attempts} == {"ConnectionLostError"}
    assert isinstance(told.ends[0], OutcomeUnknownError)


async def test_an_attempt_that_is_cancelled_is_told() -> None:
    told = Told()
    async with calling(hangs, on_attempt=told.on_attempt) as (_, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_run(project), 7)
    assert [(a.error, a.status, round(a.seconds)) for a in told.attempts] == [("CancelledError", None, 7)]


async def test_a_pause_that_is_cancelled_tells_of_no_attempt_that_never_was() -> None:
    told = Told()
    async with calling(says(429, headers={"Retry-After": "60"}), on_attempt=told.on_attempt) as (_, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_run(project), 7)
    assert [(a.status, a.retry_in) for a in told.attempts] == [(429, 60)]


async def test_polls_are_told_with_the_bytes_of_their_logs(local_nexus: LocalNexus, nexus_client: Client) -> None:
    told = Told()
    run = local_nexus.start_run()
    run.checkpoint(step=1)
    run.finish()
    client = client_like(nexus_client, on_attempt=told.on_attempt, on_call=told.on_call)
    async with client.get_project(local_nexus.project_id) as project:
        await anext(project.runs.stream_logs(run.id))
    assert all(attempt.poll for attempt in told.attempts)
    assert all(call.poll for call in told.calls)
    assert told.attempts[-1].path.startswith(f"/projects/{local_nexus.project_id}/runs/logs/")
    assert told.attempts[-1].received > 50


def client_of_keys(nexus: LocalNexus, told: Told, *keys: str) -> Client:
    from nexus_async.testing.connector import VirtualConnector

    given = iter(keys)
    return Client(lambda: next(given), endpoint=nexus.url, connector=VirtualConnector, on_attempt=told.on_attempt)


async def test_a_call_whose_first_key_is_refused_tells_of_an_attempt_with_the_next(
    local_nexus: LocalNexus,
) -> None:
    told = Told()
    async with client_of_keys(local_nexus, told, "an-old-key", local_nexus.secret_key) as client:
        await client.get_info()
    assert [(a.number, a.status, a.retry_in) for a in told.attempts] == [(1, 401, 0), (2, 200, None)]


async def test_a_poll_whose_first_key_is_refused_tells_of_an_attempt_with_the_next(
    local_nexus: LocalNexus,
) -> None:
    told, run = Told(), local_nexus.start_run()
    client = client_of_keys(local_nexus, told, "an-old-key", local_nexus.secret_key)
    run.finish()
    async with client.get_project(local_nexus.project_id) as project:
        await project.runs.wait(run.id)
    assert [(a.number, a.status, a.retry_in) for a in told.attempts] == [(1, 401, 0), (2, 200, None)]


def client_like(client: Client, **options: Any) -> Client:
    from nexus_async.testing.connector import VirtualConnector

    return Client("local-nexus-key", endpoint=client.endpoint, connector=VirtualConnector, **options)


async def test_a_call_is_told_around_its_attempts() -> None:
    told = Told()
    async with calling(says(503), says(), on_call=told.on_call) as (api, project):
        await get_run(project)
        assert told.calls == [
            Call(method="GET", path="/projects/proj_1/runs/run_1", endpoint=api.url, poll=False),
        ]
    assert told.order == ["begin", "attempt", "attempt", "end"]


async def test_a_call_that_fails_ends_with_its_error() -> None:
    told = Told()
    async with calling(says(404, BODY), on_call=told.on_call) as (_, project):
        with pytest.raises(NotFoundError) as caught:
            await get_run(project)
    assert told.ends == [caught.value]


async def test_a_call_on_a_closed_client_makes_no_attempt() -> None:
    told = Told()
    async with calling(says(), on_call=told.on_call) as (_, project):
        pass
    with pytest.raises(ClientClosedError):
        await get_run(project)
    assert told.order == ["begin", "end"]


def refuses(what: object) -> Any:
    raise LookupError("the hook is broken")


@contextmanager
def refuses_to_end(call: Call) -> Iterator[Callable[[Attempt], None]]:
    try:
        yield refuses
    finally:
        raise LookupError("the hook is broken")


@contextmanager
def forgives(call: Call) -> Iterator[Callable[[Attempt], None]]:
    with suppress(BaseException):
        yield lambda attempt: None


@pytest.mark.parametrize("hooks", [{"on_attempt": refuses}, {"on_call": refuses}, {"on_call": refuses_to_end}])
async def test_a_hook_that_raises_is_logged_and_breaks_no_call(
    hooks: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with calling(says(404, BODY), says(), **hooks) as (_, project):
        with pytest.raises(NotFoundError):
            await get_run(project)
        await get_run(project)
    assert "failed, and the call goes on" in caplog.text
    assert "the hook is broken" in caplog.text
    assert "a secret of the body" not in caplog.text


async def tells_later(attempt: Attempt) -> None:
    raise AssertionError


class TellsLater:
    async def __call__(self, attempt: Attempt) -> None: ...


@pytest.mark.parametrize("name", ["on_attempt", "on_call"])
@pytest.mark.parametrize(
    ("hook", "why"),
    [(tells_later, "is asynchronous"), (TellsLater(), "is asynchronous"), (3, "cannot be called")],
)
def test_a_hook_that_cannot_be_one_is_refused_by_name(name: str, hook: Any, why: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{name}=.*{why}"):
        Client("k", **{name: hook})


async def test_a_hook_cannot_take_an_error_back() -> None:
    async with calling(says(404), on_call=forgives) as (_, project):
        with pytest.raises(NotFoundError):
            await get_run(project)


@pytest.mark.parametrize("step", [says(503, BODY), says(404, BODY), says(body=BODY), drops])
async def test_the_log_tells_of_attempts_without_what_was_said(
    step: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "nexus_async")
    async with calling(step) as (_, project):
        with suppress(RequestError):
            await get_run(project)
    assert "GET /projects/proj_1/runs/run_1: " in caplog.text
    assert "a secret" not in caplog.text
    assert KEY not in caplog.text


async def test_what_is_tried_again_is_in_the_log_of_info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nexus_async")
    async with calling(says(503), says()) as (_, project):
        await get_run(project)
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "GET /projects/proj_1/runs/run_1: ServerError 503 (attempt 1), again in 0.50 s"),
    ]


async def test_nothing_is_in_the_log_of_info_where_all_goes_well(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nexus_async")
    async with calling(says()) as (_, project):
        await get_run(project)
    assert caplog.records == []


async def test_the_stats_count_calls_and_attempts() -> None:
    async with calling(says(503), says(429), says(404, b"{}")) as (api, _), api.client() as client:
        with pytest.raises(NotFoundError):
            await get_run(client.get_project("proj_1"))
        stats = client.stats()
    assert (stats.calls, stats.polls, stats.retries, stats.attempts) == (1, 0, 2, 3)
    assert (stats.rate_limited, stats.in_flight, stats.waiting) == (1, 0, 0)
    assert stats.received > 0


async def test_the_stats_count_polls(local_nexus: LocalNexus, nexus_client: Client) -> None:
    run = local_nexus.start_run()
    run.checkpoint(step=1)
    await anext(nexus_client.get_project(local_nexus.project_id).runs.stream_logs(run.id))
    stats = nexus_client.stats()
    assert (stats.calls, stats.polls, stats.attempts) == (0, 2, 2)


async def test_the_stats_tell_what_is_under_way_and_what_waits() -> None:
    async with calling(hangs) as (api, _), api.client(max_in_flight=2, timeout=9, attempts=1) as client:
        calls = [asyncio.create_task(client.get_info()) for _ in range(5)]
        await asyncio.sleep(1)
        stats = client.stats()
        assert (stats.in_flight, stats.waiting) == (2, 3)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)


def test_a_client_that_was_never_used_has_its_whole_budget() -> None:
    stats = Client("k", requests_per_second=7, bytes_per_second=1000).stats()
    assert (stats.requests_left, stats.bytes_left, stats.attempts) == (7, 1000, 0)


async def test_the_stats_tell_the_budget_that_is_left() -> None:
    async with calling(says(body=b"x" * 400)) as (api, _):
        options: dict[str, Any] = {"requests_per_second": 7, "bytes_per_second": 1000, "attempts": 1}
        async with api.client(**options) as client:
            for _ in range(2):
                with suppress(RequestError):
                    await client.get_info()
            stats = client.stats()
            assert (round(stats.requests_left, 2), round(stats.bytes_left)) == (5, 200)
            await asyncio.sleep(1)
            assert (client.stats().requests_left, client.stats().bytes_left) == (7, 1000)


async def test_the_stats_tell_the_retries_that_are_left() -> None:
    async with calling(says(503)) as (api, _), api.client() as client:
        before = client.stats().retries_left
        with suppress(RequestError):
            await client.get_info()
        assert client.stats().retries_left == before - 2


async def test_a_view_with_other_options_counts_with_its_client() -> None:
    async with calling(says()) as (api, _), api.client() as client:
        with suppress(RequestError):
            await client.with_options(timeout=5).get_info()
        assert client.stats().calls == 1


async def test_a_view_with_other_options_tells_the_same_hooks() -> None:
    told = Told()
    async with calling(says()) as (api, _), api.client(on_attempt=told.on_attempt) as client:
        with suppress(RequestError):
            await client.with_options(timeout=5).get_info()
    assert len(told.attempts) == 1


async def test_nothing_is_left_while_a_429_holds_all_back() -> None:
    async with calling(says(429, headers={"Retry-After": "60"})) as (api, _), api.client(attempts=1) as client:
        with suppress(RequestError):
            await client.get_info()
        assert client.stats().requests_left == 0


async def test_nothing_is_left_while_polls_pay_for_what_came() -> None:
    async with calling(says(body=b"x" * 4000)) as (api, _), api.client(bytes_per_second=1000) as client:
        with suppress(RequestError):
            await client.get_info()
        assert client.stats().bytes_left == 0


async def test_a_timeout_is_told_as_one() -> None:
    [attempt] = await attempts_of(hangs, timeout=5)
    assert attempt.error == RequestTimeoutError.__name__


async def test_a_5xx_is_told_with_its_status_and_class() -> None:
    told = await attempts_of(says(502), attempts=1)
    assert [(a.status, a.error) for a in told] == [(502, ServerError.__name__)]
