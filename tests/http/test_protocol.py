"""What a request is and what an answer means."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st
from multidict import CIMultiDict

from nexus_async import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    ServerError,
    StatusError,
    UnprocessableError,
)
from nexus_async.http.protocol import Answer, body_of, delete, get, patch, path_of, post, retry_after

ASKED = get("/projects/proj_1/runs/run_1")


def refused(status: int, body: bytes = b"", attempts: int = 1, **headers: str) -> StatusError:
    answer = Answer(status, CIMultiDict({k.replace("_", "-"): v for k, v in headers.items()}), body)
    with pytest.raises(StatusError) as caught:
        body_of(ASKED, answer, attempts)
    return caught.value


def test_a_path_is_its_parts_quoted() -> None:
    assert path_of("projects", "proj_1", "runs", "a/b c?#é") == "/projects/proj_1/runs/a%2Fb%20c%3F%23%C3%A9"


@given(st.lists(st.text(min_size=1), min_size=1))
def test_no_part_of_a_path_reaches_beyond_itself(parts: list[str]) -> None:
    try:
        path = path_of(*parts)
    except InvalidArgumentError:
        assert any(not part.strip(". ") or any("\ud800" <= c <= "\udfff" for c in part) for part in parts)
    else:
        assert path.count("/") == len(parts)


@pytest.mark.parametrize("part", ["", " ", ".", "..", None, 7])
def test_what_is_no_id_is_refused(part: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{part!r} is no ID$"):
        path_of("projects", part)


def test_only_creating_must_not_be_repeated() -> None:
    requests = [get("/"), patch("/", {}), delete("/"), post("/", {})]
    assert [(r.method, r.repeatable) for r in requests] == [
        ("GET", True), ("PATCH", True), ("DELETE", True), ("POST", False),
    ]  # fmt: skip


def test_a_body_is_json() -> None:
    assert (patch("/", {"status": "Cancelled"}).body, get("/").body) == (b'{"status":"Cancelled"}', None)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_success_is_its_body(status: int) -> None:
    assert body_of(ASKED, Answer(status, {}, b"x")) == b"x"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RedirectError), (302, RedirectError), (304, RedirectError), (307, RedirectError),
        (400, BadRequestError), (401, AuthenticationError), (403, ForbiddenError), (404, NotFoundError),
        (409, ConflictError), (418, StatusError), (422, UnprocessableError), (429, RateLimitedError),
        (500, ServerError), (502, ServerError), (503, ServerError), (504, ServerError), (520, ServerError),
        (524, ServerError), (599, ServerError), (100, StatusError),
    ],
)  # fmt: skip
def test_each_status_has_its_error(status: int, kind: type[StatusError]) -> None:
    error = refused(status)
    assert type(error) is kind
    assert error.status == status


def test_an_error_tells_all_that_is_known() -> None:
    error = refused(
        404, b'{"code":"ResourceNotFoundError","message":"Run not found"}', 2, X_Request_Id="abc", Retry_After="7"
    )
    assert (error.code, error.message, error.request_id) == ("ResourceNotFoundError", "Run not found", "abc")
    assert (error.method, error.path, error.attempts, error.retry_after) == ("GET", ASKED.path, 2, 7.0)
    assert str(error) == (
        "GET /projects/proj_1/runs/run_1: 404 ResourceNotFoundError: Run not found [request abc] (2 attempts). "
        "Check the ID and the project"
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Bad Gateway"),
        (b"  \n", "Bad Gateway"),
        (b"<html><h1>502</h1></html>", "Bad Gateway"),
        (b"upstream\n  is   down", "upstream is down"),
        (b"value must be < 5", "value must be < 5"),
        (b"x" * 1000, "x" * 297 + "..."),
        (b"\xff\xfe", "��"),
        (b'{"message": "no code"}', "no code"),
        (b'{"code": 7, "message": null}', ""),
        (b"[1]", "[1]"),
    ],
)
def test_whatever_a_proxy_says_becomes_one_short_line(body: bytes, message: str) -> None:
    assert refused(502, body).message == message


def test_a_status_without_a_phrase_is_told_bare() -> None:
    assert str(refused(520)).startswith("GET /projects/proj_1/runs/run_1: 520 (1 attempt)")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0), ("120", 120.0), (" 5 ", 5.0),
        ("", None), ("soon", None), ("-5", None), ("1.5", 1.5), ("1e3", None), ("1.", None), ("inf", None),
        ("nan", None), ("\u0661", None), ("1" * 400, float("inf")), ("99999999999999999999", 1e20),
        ("Wed, 17 Jan 2024 04:40:44 GMT", 60.0), ("Wed, 17 Jan 2024 04:00:00 GMT", 0.0),
    ],
)  # fmt: skip
def test_a_pause_that_is_asked_for_is_read_in_seconds_or_as_a_date(value: str, seconds: float | None) -> None:
    headers = CIMultiDict({"retry-after": value, "date": "Wed, 17 Jan 2024 04:39:44 GMT"})
    assert retry_after(headers) == seconds


def test_a_date_to_wait_for_counts_from_this_clock_where_the_answer_has_none() -> None:
    assert retry_after(CIMultiDict({"Retry-After": "Wed, 17 Jan 2024 04:40:44 GMT"})) == 0.0


def test_no_pause_is_asked_for_where_nothing_says_so() -> None:
    assert retry_after(CIMultiDict()) is None
