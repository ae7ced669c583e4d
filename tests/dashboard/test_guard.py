"""Who is let in."""

from __future__ import annotations

import socket

import pytest

from nexus_async.dashboard.guard import Guard

TOKEN = "the-token-of-a-test"
OURS = "127.0.0.1:8000"


def status(
    method: str = "GET", *, host: str = "127.0.0.1", tokens: tuple[str | None, ...] = (TOKEN,), **headers: str
) -> int:
    """Return the status that a request is refused with, 200 where it is not."""
    named = {name.replace("_", "-").title(): value for name, value in {"host": OURS, **headers}.items()}
    refusal = Guard(TOKEN, host).refusal_of(method, named, tokens)
    return 200 if refusal is None else refusal.status


def test_whoever_has_the_token_is_let_in() -> None:
    assert status() == 200
    assert status(tokens=(None, TOKEN)) == 200


@pytest.mark.parametrize("tokens", [(), (None, None), ("",), ("x",), (TOKEN[:-1],), (f"{TOKEN}x",), ("\udcff",)])
def test_nobody_else_is(tokens: tuple[str | None, ...]) -> None:
    assert status(tokens=tokens) == 401


def test_a_ticket_stands_for_the_token_once() -> None:
    guard = Guard(TOKEN, "127.0.0.1")
    ticket = guard.new_ticket()
    assert guard.new_ticket() != ticket
    assert [guard.token_for(each) for each in (None, "x", ticket, ticket)] == [None, None, TOKEN, None]


@pytest.mark.parametrize("name", ["127.0.0.1:8000", "localhost:9", "LOCALHOST", "[::1]:8000"])
def test_this_machine_goes_by_its_names(name: str) -> None:
    guard = Guard(TOKEN, "127.0.0.1")
    assert guard.refusal_of("GET", {"Host": name}, [TOKEN]) is None


@pytest.mark.parametrize(
    "name", ["evil.example", "127.0.0.1.evil.example", "10.0.0.5", "", "[", "localhost.evil"]
)
def test_a_foreign_host_is_refused(name: str) -> None:
    refusal = Guard(TOKEN, "127.0.0.1").refusal_of("GET", {"Host": name}, [TOKEN])
    assert refusal is not None
    assert (refusal.status, repr(name) in refusal.why) == (403, True)


@pytest.mark.parametrize("host", ["10.0.0.5", socket.gethostname(), "localhost", "[fe80::1]"])
def test_a_server_for_all_goes_by_addresses_and_by_its_own_name(host: str) -> None:
    assert Guard(TOKEN, "0.0.0.0").refusal_of("GET", {"Host": f"{host}:80"}, [TOKEN]) is None
    refusal = Guard(TOKEN, "0.0.0.0").refusal_of("GET", {"Host": "evil.example"}, [TOKEN])
    assert refusal is not None


def test_a_server_at_one_address_goes_by_that() -> None:
    guard = Guard(TOKEN, "10.0.0.5")
    assert guard.refusal_of("GET", {"Host": "10.0.0.5:80"}, [TOKEN]) is None
    assert guard.refusal_of("GET", {"Host": "10.0.0.6:80"}, [TOKEN]) is not None


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8000", "https://127.0.0.1:8000"])
def test_a_page_of_its_own_may_ask(origin: str) -> None:
    assert status(origin=origin) == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1:9", "null", "", "http://127.0.0.1:8000.evil.example"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_site_may_not(origin: str, method: str) -> None:
    assert status(method, origin=origin, content_type="application/json") == 403


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8"])
def test_json_may_be_posted(kind: str) -> None:
    assert status("POST", content_type=kind) == 200


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_can_send_may_not(kind: str) -> None:
    assert status("POST", content_type=kind) == 415
