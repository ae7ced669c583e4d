"""When to ask again, and after how long."""

from __future__ import annotations

from itertools import islice

import pytest

from nexus_async import (
    BadRequestError,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    RequestTimeoutError,
    ServerError,
)
from nexus_async.http.protocol import Request, delete, get, patch, post
from nexus_async.http.retry import RetryPolicy, is_passing, may_have_been_carried_out, may_repeat

SAFE = [get("/"), patch("/", {}), delete("/")]
START = post("/", {})


def of(kind: type[RequestError], **facts: object) -> RequestError:
    what = () if "status" in facts else ("x",)
    return kind(*what, method="GET", path="/", **facts)  # type: ignore[arg-type]  # each kind has its own facts


BEFORE = [of(ConnectError), of(RateLimitedError, status=429)]
PASSING = [
    of(ConnectionLostError), of(RequestTimeoutError),
    *(of(ServerError, status=status) for status in (500, 502, 503, 504, 520, 521, 522, 523, 524)),
]  # fmt: skip
LASTING = [of(BadRequestError, status=400), of(NotFoundError, status=404), of(ServerError, status=501)]


@pytest.mark.parametrize("request_", SAFE)
def test_what_is_safe_is_repeated_after_all_that_may_pass(request_: Request) -> None:
    assert all(may_repeat(request_, error) for error in BEFORE + PASSING)
    assert not any(may_repeat(request_, error) for error in [*LASTING, of(InvalidAnswerError)])


def test_a_start_is_repeated_only_where_nothing_was_carried_out() -> None:
    assert all(may_repeat(START, error) for error in BEFORE)
    assert not any(may_repeat(START, error) for error in PASSING + LASTING)


def test_what_may_have_been_carried_out() -> None:
    assert all(map(may_have_been_carried_out, [*PASSING, of(InvalidAnswerError), of(ServerError, status=501)]))
    assert not any(map(may_have_been_carried_out, [*BEFORE, *LASTING[:2]]))


def test_what_may_pass_is_worth_another_poll() -> None:
    assert all(map(is_passing, [*BEFORE, *PASSING, of(InvalidAnswerError)]))
    assert not any(map(is_passing, LASTING))


def test_pauses_double_up_to_eight_seconds() -> None:
    assert list(islice(RetryPolicy().pauses(), 7)) == [0.5, 1, 2, 4, 8, 8, 8]


def pause(error: RequestError, request: Request = SAFE[0], **policy: object) -> float | None:
    made = RetryPolicy(**{"jitter": lambda seconds: seconds / 2, **policy})  # type: ignore[arg-type]  # any
    return made.pause(request, error, made.pauses())


def test_a_pause_is_drawn_by_the_jitter() -> None:
    assert pause(of(ConnectError)) == 0.25


def test_a_pause_is_never_shorter_than_what_the_api_asks_for() -> None:
    assert pause(of(RateLimitedError, status=429, retry_after=9.0)) == 9.0
    assert pause(of(RateLimitedError, status=429, retry_after=0.1)) == 0.25


def test_a_pause_above_the_cap_is_not_made() -> None:
    assert pause(of(RateLimitedError, status=429, retry_after=9.0), retry_after_cap=8.9) is None


def test_the_attempts_are_counted() -> None:
    assert pause(of(ConnectError, attempts=2)) is not None
    assert pause(of(ConnectError, attempts=3)) is None
    assert pause(of(ConnectError, attempts=3), attempts=4) is not None


def test_there_is_no_pause_before_what_must_not_be_repeated() -> None:
    assert pause(of(ServerError, status=503), START) is None
