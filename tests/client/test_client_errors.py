"""Each status is an error of its own, and each error says what was asked and what came."""

from __future__ import annotations

import copy
import pickle
from typing import TYPE_CHECKING

import pytest
from scripted_api import KEY, calling, drops, get_run, hangs, says, serving, start_run

from nexus_async import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidAnswerError,
    NexusError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RedirectError,
    RequestError,
    ServerError,
    StatusError,
    UnprocessableError,
)

if TYPE_CHECKING:
    from scripted_api import Step

pytestmark = pytest.mark.virtual_time

REFUSAL = {"code": "SomeError", "message": "It does not go."}


async def error_of(*steps: Step, **options: object) -> RequestError:
    async with calling(*steps, **{"attempts": 1, "timeout": 9, **options}) as (_, project):
        with pytest.raises(RequestError) as caught:
            await get_run(project)
    return caught.value


async def status_error_of(step: Step) -> StatusError:
    error = await error_of(step)
    assert isinstance(error, StatusError)
    return error


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, RedirectError),
        (304, RedirectError),
        (400, BadRequestError),
        (401, AuthenticationError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (418, StatusError),
        (422, UnprocessableError),
        (429, RateLimitedError),
        (500, ServerError),
        (503, ServerError),
        (524, ServerError),
        (599, ServerError),
    ],
)
async def test_a_status_is_an_error_of_its_own(status: int, kind: type[StatusError]) -> None:
    error = await status_error_of(says(status, REFUSAL))
    assert type(error) is kind
    assert error.status == status


async def test_an_error_says_what_was_asked() -> None:
    error = await error_of(says(404, REFUSAL))
    assert (error.method, error.path, error.attempts) == ("GET", "/projects/proj_1/runs/run_1", 1)


async def test_an_error_says_what_the_api_said() -> None:
    error = await status_error_of(says(404, REFUSAL))
    assert (error.code, error.message) == ("SomeError", "It does not go.")


async def test_an_error_tells_all_of_it() -> None:
    error = await error_of(says(404, REFUSAL, {"X-Request-Id": "req-7"}))
    assert str(error) == (
        "GET /projects/proj_1/runs/run_1: 404 SomeError: It does not go. [request req-7] (1 attempt). "
        "Check the ID and the project"
    )


@pytest.mark.parametrize("name", ["X-Request-Id", "x-amzn-requestid", "X-Correlation-Id", "CF-Ray"])
async def test_an_error_has_the_id_that_the_answer_gave_the_request(name: str) -> None:
    assert (await status_error_of(says(404, REFUSAL, {name: "req-7"}))).request_id == "req-7"


async def test_an_error_without_a_request_id_says_so() -> None:
    assert (await status_error_of(says(404, REFUSAL))).request_id is None


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Bad Gateway"),
        (b"<html><body><h1>502</h1></body></html>", "Bad Gateway"),
        (b"upstream\n  timed out", "upstream timed out"),
        (b'{"message": "two\\nlines"}', "two lines"),
        (b'{"error": "elsewhere"}', ""),
        (b"[]", "[]"),
        (b"x" * 1000, "x" * 297 + "..."),
    ],
)
async def test_a_body_that_is_not_the_apis_own_is_told_in_one_line(body: bytes, message: str) -> None:
    error = await status_error_of(says(502, body))
    assert (error.code, error.message) == (None, message)
    assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(status: int) -> None:
    async with serving(says()) as elsewhere:
        error = await status_error_of(says(status, b"", {"Location": f"{elsewhere.url}/here"}))
        assert isinstance(error, RedirectError)
        assert elsewhere.received == []


each_error = pytest.mark.parametrize(
    "step",
    [
        says(404, REFUSAL),
        says(429, REFUSAL, {"Retry-After": "3"}),
        says(302),
        says(502, b"<html>\n</html>"),
        says(200, b"<html>\n</html>"),
        says(200, b'{\n"id":\n"x"}'),
        drops,
        hangs,
    ],
    ids=["404", "429", "302", "502", "html", "shape", "drop", "silence"],
)


@each_error
async def test_an_error_is_one_line(step: Step) -> None:
    error = await error_of(step)
    assert len(str(error).splitlines()) == 1
    assert len(repr(error).splitlines()) == 1


@each_error
async def test_an_error_is_of_one_root(step: Step) -> None:
    assert isinstance(await error_of(step), NexusError)


@each_error
async def test_an_error_pickles_with_all_that_it_says(step: Step) -> None:
    error = await error_of(step)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


@each_error
async def test_an_error_copies(step: Step) -> None:
    error = await error_of(step)
    assert vars(copy.copy(error)) == vars(error)


@each_error
async def test_an_error_holds_the_secret_key_nowhere(step: Step) -> None:
    error = await error_of(step)
    for one in chain_of(error):
        told = (str(one), repr(one), repr(one.args), repr(vars(one)))
        assert not any(KEY in text for text in told), type(one)
    assert KEY.encode() not in pickle.dumps(error)


@each_error
async def test_nothing_of_aiohttp_is_chained_to_an_error(step: Step) -> None:
    homes = {type(one).__module__.partition(".")[0] for one in chain_of(await error_of(step))}
    assert homes <= {"nexus_async", "msgspec"}


def chain_of(error: BaseException) -> list[BaseException]:
    """Give an error and all that hangs on it."""
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None)]
    return found


@pytest.mark.parametrize("step", [says(502), drops, says(201, b"{")], ids=["502", "drop", "json"])
async def test_an_unknown_outcome_holds_the_secret_key_nowhere(step: Step) -> None:
    async with calling(step) as (_, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
    for one in chain_of(caught.value):
        assert KEY not in f"{one} {one!r} {vars(one)}"
    assert KEY.encode() not in pickle.dumps(caught.value)


async def test_an_unknown_outcome_pickles_with_its_reason() -> None:
    async with calling(says(502, REFUSAL)) as (_, project):
        with pytest.raises(OutcomeUnknownError) as caught:
            await start_run(project)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), str(again.reason)) == (str(caught.value), str(caught.value.reason))


async def test_an_answer_of_the_wrong_shape_is_kept_as_it_came() -> None:
    error = await error_of(says(200, b'{"id": 7}'))
    assert isinstance(error, InvalidAnswerError)
    assert error.body == b'{"id": 7}'


async def test_no_log_record_has_the_secret_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    for step in (says(), says(503), says(404), drops, hangs, says(200, b"{")):
        async with calling(step, timeout=9) as (_, project):
            for call in (get_run, start_run):
                try:
                    await call(project)
                except RequestError:
                    continue
    assert any(record.name == "nexus_async.http" for record in caplog.records)
    assert not any(KEY in f"{record.getMessage()} {vars(record)}" for record in caplog.records)


async def test_neither_a_client_nor_a_project_shows_the_secret_key() -> None:
    async with calling(says()) as (api, project):
        assert KEY not in repr(project)
        assert KEY not in repr(api.client())
        assert api.url in repr(api.client())
