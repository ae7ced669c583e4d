"""The list of a project's runs: decoded where it changed, run by run, and asked for no oftener than it may be."""

from __future__ import annotations

import logging

import msgspec
import pytest
from feed_pieces import body_of, wire
from hypothesis import given, strategies as st

from nexus_async.http.throttle import Throttle
from nexus_async.streaming.feed.listing import SHARE, ListedRun, Listing


def listing(*, requests: float = 10.0, size: float = 1e6, interval: float = 30.0) -> Listing:
    return Listing(Throttle(requests_per_second=requests, bytes_per_second=size), interval=interval)


def read(asked: Listing, body: bytes) -> dict[str, ListedRun] | None:
    found = asked.read(body)
    return None if found is None else dict(found)


def test_a_list_tells_of_each_run_how_it_stands() -> None:
    runs = read(listing(), body_of(wire("run_1", since=7), wire("run_2", "Finished")))
    assert runs is not None
    assert list(runs) == ["run_1", "run_2"]
    assert (runs["run_1"].status, runs["run_1"].status_date) == ("Running", 7)
    assert runs["run_1"].log_ids == ["log_of_run_1"]


def test_a_run_of_a_list_is_decoded_on_demand() -> None:
    runs = read(listing(), body_of(wire("run_1")))
    assert runs is not None
    run = runs["run_1"].run()
    assert run is not None
    assert (run.id, run.flow_id, run.status.overview) == ("run_1", "flow_1", "Running")


def test_a_list_that_is_the_same_is_told_as_such() -> None:
    asked = listing()
    body = body_of(wire("run_1"))
    assert read(asked, body) is not None
    assert read(asked, body) is None


def test_a_list_that_goes_back_to_what_it_was_is_another() -> None:
    asked = listing()
    first, second = body_of(wire("run_1")), body_of(wire("run_2"))
    assert all(read(asked, body) is not None for body in (first, second, first))


def test_an_empty_list_is_one() -> None:
    asked = listing()
    assert read(asked, b"[]") == {}
    assert (asked.size, asked.count) == (2, 0)


def test_a_list_tells_its_size_and_how_many_runs_it_has() -> None:
    asked, body = listing(), body_of(wire("run_1"), {"id": 7})
    read(asked, body)
    assert (asked.size, asked.count) == (len(body), 2)


@pytest.mark.parametrize(
    "odd",
    [
        7,
        None,
        {},
        {"id": "run_1"},
        wire(7),
        wire("run_1", 7),
        {**wire("run_1"), "logIds": 7},
        {**wire("run_1"), "status": None},
    ],
)
def test_a_run_that_makes_no_sense_is_left_out_and_told_in_the_log(
    odd: object, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "nexus_async.streaming"):
        runs = read(listing(), body_of(wire("run_0"), odd, wire("run_2")))
    assert runs is not None
    assert list(runs) == ["run_0", "run_2"]
    assert "not what the API promises" in caplog.text


def test_a_run_that_makes_sense_only_in_part_is_none_when_it_is_decoded(caplog: pytest.LogCaptureFixture) -> None:
    runs = read(listing(), body_of({**wire("run_1"), "createDate": "x"}))
    assert runs is not None
    assert runs["run_1"].run() is None
    assert "not what the API promises" in caplog.text


@pytest.mark.parametrize("body", [b"", b"{}", b"<html>", b"[{]", b'[{"id": "run_1"', b"\xff", b"null"])
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        read(listing(), body)


def test_what_was_refused_is_refused_again() -> None:
    asked = listing()
    for _ in range(2):
        with pytest.raises(msgspec.DecodeError):
            read(asked, b"{}")


def test_a_list_that_was_never_asked_for_is_due() -> None:
    assert listing().is_due(0.0)


def test_a_list_is_due_again_after_its_interval() -> None:
    asked = listing(interval=30.0)
    asked.came(100.0)
    assert [asked.is_due(at) for at in (100.0, 129.0, 130.0)] == [False, False, True]


@given(
    requests=st.floats(0.01, 1000.0),
    bandwidth=st.floats(1.0, 1e7),
    length=st.integers(2, 1_000_000),
    interval=st.floats(0.01, 100.0),
)
def test_lists_that_are_asked_for_as_soon_as_they_are_due_keep_to_their_share(
    requests: float, bandwidth: float, length: int, interval: float
) -> None:
    asked = listing(requests=requests, size=bandwidth, interval=interval)
    asked.size = length
    asked.came(0.0)
    pause = max(interval, 1 / requests / SHARE, length / bandwidth / SHARE)
    assert not asked.is_due(0.98 * pause)
    assert asked.is_due(1.01 * pause)
    assert 1 / pause <= SHARE * requests * 1.001
    assert length / pause <= SHARE * bandwidth * 1.001


def test_a_list_may_be_asked_for_in_doubt_before_its_interval_is_over() -> None:
    asked = listing(requests=10.0, interval=30.0)
    asked.came(100.0)
    assert [asked.may_be_asked(at) for at in (100.5, 101.5)] == [False, True]


def test_a_list_of_unknown_length_is_the_dearer_way() -> None:
    assert listing().is_dearer(1000)


@pytest.mark.parametrize(
    ("runs", "requests", "is_dearer"), [(3, 10.0, True), (4, 10.0, False), (5, 10.0, False), (3, 0.9, False)]
)
def test_a_list_is_dearer_than_each_of_fewer_runs_within_their_share_of_the_requests(
    runs: int, requests: float, *, is_dearer: bool
) -> None:
    asked = listing(requests=requests, interval=30.0)
    read(asked, body_of(*[wire(f"run_{number}") for number in range(4)]))
    assert asked.is_dearer(runs) == is_dearer


def test_runs_are_asked_for_by_themselves_within_a_tenth_of_the_requests() -> None:
    listing = Listing(Throttle(requests_per_second=10), interval=30.0)
    assert [listing.singles(now) for now in (0.0, 10.0, 15.0, 15.5, 500.0)] == [30, 10, 5, 2, 30]
