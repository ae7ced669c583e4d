"""Requests that have no method of their own: how they are built, and what is refused before it is sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote

import msgspec
import pytest
from hypothesis import example, given, strategies as st

from nexus_async import InvalidArgumentError, RunStatus
from nexus_async.http.custom import custom
from nexus_async.http.protocol import Request


def test_a_path_stands_below_the_one_that_it_is_given() -> None:
    assert custom("GET", "/projects/proj_1", "/artifacts") == Request("GET", "/projects/proj_1/artifacts")


def test_the_parts_of_a_path_are_quoted() -> None:
    assert custom("GET", "", "/artifacts/a b/ü%2e").path == "/artifacts/a%20b/%C3%BC%252e"


@pytest.mark.parametrize(
    "path",
    [
        "", "/", "artifacts", "//artifacts", "/artifacts/", "/a//b", "/..", "/a/../b", "/./a", "/a/..", "/ /b",
        "https://elsewhere.example/a", "//elsewhere.example/a", "/a?b=c", "/a#b", "/a\\b", "/a\nb", "/\ud800", 7, None,
    ],
)  # fmt: skip
def test_a_path_that_leads_elsewhere_is_refused_by_name(path: Any) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        custom("GET", "/projects/proj_1", path)
    assert repr(path) in str(caught.value) or "is no ID" in str(caught.value)


@pytest.mark.parametrize("path", ["/", "/artifacts/"])
def test_a_path_that_ends_with_a_slash_is_refused_with_how_to_write_it(path: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^{path!r} is no path .* end it with none"):
        custom("GET", "/projects/proj_1", path)


@given(st.text())
@example("/%2e%2e/%2e%2e/workspace")
def test_no_path_leaves_what_it_stands_below(path: str) -> None:
    try:
        built = custom("GET", "/projects/proj_1", path).path
    except InvalidArgumentError:
        return
    assert built.startswith("/projects/proj_1/")
    assert unquote(built).removeprefix("/projects/proj_1") == path
    assert not {"", ".", ".."} & set(built.split("/")[1:])


@pytest.mark.parametrize(("value", "query"), [
    ("a b&c", "key=a%20b%26c"), (3, "key=3"), (0.5, "key=0.5"), (True, "key=true"), (False, "key=false"),
    (["a", "b"], "key[]=a&key[]=b"), (("a",), "key[]=a"), ([True, 2], "key[]=true&key[]=2"),
])  # fmt: skip
def test_a_parameter_is_written_as_the_api_reads_it(value: Any, query: str) -> None:
    assert custom("GET", "", "/a", params={"key": value}).path == f"/a?{query}"


def test_a_parameter_of_none_is_left_out() -> None:
    assert custom("GET", "", "/a", params={"key": None, "other": 1}).path == "/a?other=1"


@pytest.mark.parametrize("params", [{}, {"key": None}, {"key": []}, None])
def test_without_a_parameter_there_is_no_query(params: Any) -> None:
    assert custom("GET", "", "/a", params=params).path == "/a"


@pytest.mark.parametrize("value", [object(), b"bytes", {"a": 1}, [None], [[1]], "\ud800"])
def test_a_parameter_that_cannot_be_written_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidArgumentError, match=r"params\['key'\]"):
        custom("GET", "", "/a", params={"key": value})


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1) | st.integers(), max_size=3))
def test_a_query_is_read_back_as_it_was_given(params: dict[str, Any]) -> None:
    try:
        path = custom("GET", "", "/a", params=params).path
    except InvalidArgumentError:
        return
    query = path.partition("?")[2]
    assert parse_qs(query, keep_blank_values=True) == {name: [str(value)] for name, value in params.items()}


def test_a_body_is_sent_as_json_and_structs_by_their_names_on_the_wire() -> None:
    status = RunStatus(overview="Running", message="", update_data=1)
    body = custom("POST", "", "/a", json={"status": status}).body
    assert msgspec.json.decode(body or b"") == {"status": {"overview": "Running", "message": "", "updateDate": 1}}


@pytest.mark.parametrize("body", [False, 0, [], {}])
def test_a_body_that_is_false_is_sent_all_the_same(body: Any) -> None:
    assert custom("POST", "", "/a", json=body).body == msgspec.json.encode(body)


@pytest.mark.parametrize("body", [object(), "\ud800", {(1, 2): 3}])
def test_a_body_that_cannot_be_sent_is_refused(body: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="json= cannot be sent as JSON"):
        custom("POST", "", "/a", json=body)


@pytest.mark.parametrize(
    ("method", "repeatable"), [("GET", True), ("PUT", True), ("DELETE", True), ("PATCH", False), ("POST", False)]
)
def test_a_method_says_whether_it_may_be_repeated(method: str, repeatable: bool) -> None:
    assert custom(method, "", "/a").repeatable is repeatable
    assert custom(method, "", "/a", repeatable=not repeatable).repeatable is not repeatable


@pytest.mark.parametrize("method", ["get", "TRACE", "", "GET /", None])
def test_another_method_is_refused_by_name(method: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="is no method: choose among GET, "):
        custom(method, "", "/a")
