"""Whether an API answers at all: what makes an outage, and what ends it."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from nexus_async import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    ForbiddenError,
    InvalidAnswerError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    RequestTimeoutError,
    ServerError,
)
from nexus_async.streaming.feed.connection import FAILURES, Connection, concerns_all, is_refusal
from nexus_async.streaming.outage import LONGEST_PAUSE


def connection() -> Connection:
    return Connection(lambda pause: pause)


def fail(asked: Connection, *askers: str, of: int = 10) -> list[bool]:
    """Let askers fail, one a second; those whose name has a `list` in it look at a project."""
    return [asked.failed(who, float(at), askers=of, is_look="list" in who) for at, who in enumerate(askers)]


@pytest.mark.parametrize(
    ("askers", "told"),
    [
        (["a", "list"], [False, False]),
        (["a", "b", "list"], [False, False, True]),
        (["list", "list", "a"], [False, False, True]),
        (["a", "b", "c", "d", "list", "list"], [False, False, False, False, True, False]),
    ],
)
def test_three_failures_of_which_one_is_a_look_are_an_outage_that_is_told_once(
    askers: list[str], told: list[bool]
) -> None:
    assert fail(connection(), *askers) == told


def test_failures_of_logs_alone_are_no_outage() -> None:
    asked = connection()
    assert not any(fail(asked, *"abcdefgh"))
    assert asked.is_suspicious


def test_failures_of_one_asker_are_no_outage_where_there_are_others() -> None:
    assert not any(fail(connection(), *["list"] * 10, of=2))


def test_failures_of_the_only_asker_are_an_outage() -> None:
    assert fail(connection(), *["list"] * 4, of=1) == [False, False, True, False]


def test_an_outage_counts_from_its_first_failure() -> None:
    asked = connection()
    fail(asked, "a", "b", "list", "b")
    assert asked.since == 0.0
    assert asked.answered() == 0.0


def test_an_answer_ends_an_outage_once() -> None:
    asked = connection()
    fail(asked, "a", "b", "list")
    asked.answered()
    assert asked.answered() is None
    assert not asked.is_down


def test_an_answer_between_failures_makes_them_count_anew() -> None:
    asked = connection()
    fail(asked, "a", "list")
    assert asked.answered() is None
    assert fail(asked, "b", "list") == [False, False]


def test_the_look_before_an_answer_does_not_count_after_it() -> None:
    asked = connection()
    fail(asked, "list")
    asked.answered()
    assert not any(fail(asked, "a", "b", "c"))


def test_the_longer_an_outage_the_more_seldom_it_is_asked_up_to_a_bound() -> None:
    asked, pauses = connection(), []
    for _ in range(20):
        asked.failed("list", 100.0, askers=1, is_look=True)
        pauses.append(asked.next_probe - 100.0)
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PAUSE


@given(st.lists(st.sampled_from(["a", "b", "list 1", "list 2", "answer"]), max_size=40))
def test_each_outage_is_told_once_when_it_begins_and_once_when_it_ends(happens: list[str]) -> None:
    asked, is_told, failed = connection(), False, list[str]()
    for at, what in enumerate(happens):
        if what == "answer":
            assert (asked.answered() is not None) == is_told
            is_told, failed = False, []
            continue
        failed.append(what)
        begins = asked.failed(what, float(at), askers=4, is_look="list" in what)
        assert not (begins and is_told)
        is_told = is_told or begins
        assert is_told == asked.is_down
        assert is_told == (
            len(failed) >= FAILURES and len(set(failed)) > 1 and any("list" in each for each in failed)
        )


def error(kind: type[RequestError], **options: object) -> RequestError:
    return kind(method="GET", path="/x", **options)  # type: ignore[arg-type]  # what a kind takes


@pytest.mark.parametrize(
    ("failure", "is_of_all", "is_final"),
    [
        (ConnectError("x", method="GET", path="/x"), True, False),
        (ConnectionLostError("x", method="GET", path="/x"), True, False),
        (RequestTimeoutError("x", method="GET", path="/x"), True, False),
        (error(ServerError, status=500), True, False),
        (error(ServerError, status=501), True, False),
        (error(ServerError, status=530), True, False),
        (InvalidAnswerError("x", method="GET", path="/x"), False, False),
        (error(RateLimitedError, status=429), False, False),
        (error(AuthenticationError, status=401), False, True),
        (error(ForbiddenError, status=403), False, True),
        (error(NotFoundError, status=404), False, True),
    ],
)
def test_what_a_failure_says(failure: RequestError, *, is_of_all: bool, is_final: bool) -> None:
    assert (concerns_all(failure), is_refusal(failure)) == (is_of_all, is_final)
