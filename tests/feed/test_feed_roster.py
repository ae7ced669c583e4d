"""Which runs of a project are in a feed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from feed_pieces import body_of, run_of, wire
from hypothesis import given, strategies as st

from nexus_async.http.throttle import Throttle
from nexus_async.logs import Cursor
from nexus_async.streaming.feed.listing import Listing
from nexus_async.streaming.feed.roster import Roster
from nexus_async.streaming.feed.terms import Terms
from nexus_async.streaming.feed.watched import WatchedRun

if TYPE_CHECKING:
    from nexus_async.streaming.feed.listing import ListedRun


def roster(run_ids: list[str] | None = None, cursors: dict[str, Cursor] | None = None, **terms: Any) -> Roster:
    return Roster(run_ids, cursors or {}, Terms(**terms))


def listed(run_id: str, status: str = "Running", *, since: int = 1) -> ListedRun:
    found = Listing(Throttle(), interval=30.0).read(body_of(wire(run_id, status, since=since)))
    assert found is not None
    return dict(found)[run_id]


def follow(runs: Roster, run_id: str) -> WatchedRun:
    run = WatchedRun.of("proj_1", Cursor(run_id))
    assert runs.takes(run_of(run_id))
    runs.enter(run)
    return run


def test_a_run_that_is_not_over_is_looked_at() -> None:
    assert roster().is_candidate("run_1", listed("run_1"))


@pytest.mark.parametrize(("include_ended", "expected"), [(False, False), (True, True)])
def test_a_run_that_is_over_at_the_beginning_is_looked_at_where_it_is_asked_for(
    *, include_ended: bool, expected: bool
) -> None:
    runs = roster(include_ended=include_ended)
    assert runs.is_candidate("run_1", listed("run_1", "Finished")) == expected


def test_a_run_that_comes_later_is_looked_at_even_where_it_is_over() -> None:
    runs = roster()
    runs.is_open = True
    assert runs.is_candidate("run_1", listed("run_1", "Finished"))


def test_a_run_that_was_over_at_the_beginning_is_not_looked_at_later() -> None:
    runs = roster()
    runs.is_candidate("run_1", listed("run_1", "Finished"))
    runs.is_open = True
    assert not runs.is_candidate("run_1", listed("run_1", "Finished"))


def test_a_run_that_was_over_and_goes_on_is_looked_at() -> None:
    runs = roster()
    runs.is_candidate("run_1", listed("run_1", "Finished"))
    runs.is_open = True
    assert runs.is_candidate("run_1", listed("run_1", "Running", since=2))


def test_a_run_that_made_no_sense_is_looked_at_again() -> None:
    runs = roster()
    assert runs.is_candidate("run_1", listed("run_1"))
    assert runs.is_candidate("run_1", listed("run_1"))


def test_a_run_that_nobody_asked_for_is_not_looked_at_where_runs_are_named() -> None:
    runs = roster(["run_1"])
    assert runs.is_candidate("run_1", listed("run_1", "Finished"))
    assert not runs.is_candidate("run_2", listed("run_2"))


def test_a_run_that_is_resumed_is_looked_at_though_it_is_over() -> None:
    runs = roster(cursors={"run_1": Cursor("run_1")})
    assert runs.is_candidate("run_1", listed("run_1", "Finished"))


def test_a_run_that_was_told_to_its_end_is_never_looked_at() -> None:
    runs = roster(["run_1"], {"run_1": Cursor("run_1", ended=True)}, include_ended=True)
    runs.want("run_1")
    assert not runs.is_candidate("run_1", listed("run_1", "Finished"))
    assert not runs.takes(run_of("run_1"))


def test_a_run_that_does_not_fit_is_looked_at_when_its_status_is_another() -> None:
    runs = roster(where=lambda run: run.status.overview == "Running")
    assert not runs.takes(run_of("run_1", "Creating"))
    assert not runs.is_candidate("run_1", listed("run_1", "Creating"))
    assert runs.is_candidate("run_1", listed("run_1", "Running"))


def test_a_run_that_is_followed_is_not_taken_again() -> None:
    runs = roster()
    follow(runs, "run_1")
    assert not runs.takes(run_of("run_1"))


def test_runs_that_are_named_twice_are_wanted_once() -> None:
    assert list(roster(["run_1", "run_2", "run_1"]).wanted) == ["run_1", "run_2"]


class CountedId(str):
    """Count how often an ID is compared with another."""

    __slots__ = ()
    comparisons = 0
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        CountedId.comparisons += 1
        return str.__eq__(self, other)


def test_a_thousand_named_runs_are_not_compared_with_one_another() -> None:
    run_ids: list[str] = [CountedId(f"run_{number}") for number in range(1000)]
    CountedId.comparisons = 0
    runs = roster(run_ids)
    for run_id in run_ids:
        runs.want(run_id)
        runs.put_last(run_id)
    for run_id in reversed(run_ids):
        assert runs.takes(run_of(run_id))
    assert (list(runs.wanted), CountedId.comparisons < 5000) == ([], True)


def test_what_is_followed_is_wanted_no_more() -> None:
    runs = roster(["run_1", "run_2"])
    follow(runs, "run_1")
    runs.want("run_1")
    assert list(runs.wanted) == ["run_2"]


def test_a_run_that_was_removed_is_not_taken_until_it_is_asked_for() -> None:
    runs = roster()
    runs.remove(follow(runs, "run_1"))
    assert not runs.is_candidate("run_1", listed("run_1"))
    runs.want("run_1")
    assert runs.is_candidate("run_1", listed("run_1"))


def test_a_run_that_was_set_aside_is_resumed_where_it_was_left() -> None:
    runs = roster()
    run = follow(runs, "run_1")
    run.reader.tell(run_of("run_1", since=5).status)
    runs.set_aside(run, run_of("run_1", since=5))
    assert runs.takes(run_of("run_1", since=6))
    assert runs.start_of("run_1").status_date == 5


def test_what_a_run_is_resumed_from_is_given_once() -> None:
    runs = roster(cursors={"run_1": Cursor("run_1", status="Running")})
    assert runs.start_of("run_1").status == "Running"
    runs.enter(WatchedRun.of("proj_1", runs.start_of("run_1")))
    assert runs.start_of("run_1") == Cursor("run_1")


def test_runs_to_be_resumed_that_the_list_lacks_are_asked_for() -> None:
    cursors = {run_id: Cursor(run_id, ended=run_id == "run_3") for run_id in ("run_1", "run_2", "run_3")}
    runs = roster(cursors=cursors)
    runs.want_resumed({"run_1"})
    assert list(runs.wanted) == ["run_2"]


def test_a_wanted_run_that_is_put_last_lets_the_others_go_first() -> None:
    runs = roster(["run_1", "run_2", "run_3"])
    runs.put_last("run_1")
    assert list(runs.wanted) == ["run_2", "run_3", "run_1"]


def test_a_followed_run_that_is_put_last_lets_the_others_go_first() -> None:
    runs = roster()
    for run_id in ("run_1", "run_2"):
        follow(runs, run_id)
    runs.put_last("run_1")
    assert list(runs.runs) == ["run_2", "run_1"]
    runs.put_last("run_3")
    assert (list(runs.runs), list(runs.wanted)) == (["run_2", "run_1"], [])


def test_runs_that_were_there_at_the_beginning_are_the_backlog() -> None:
    runs = roster()
    first, second = follow(runs, "run_1"), follow(runs, "run_2")
    runs.is_open = True
    later = follow(runs, "run_3")
    for run in (first, first, later):
        runs.was_read(run)
    assert runs.backlog == 1
    runs.end(second)
    assert runs.backlog == 0


moves = st.lists(
    st.tuples(
        st.sampled_from(["list", "want", "unwant", "put last", "remove", "end", "set aside", "read", "open"]),
        st.sampled_from(["run_1", "run_2", "run_3"]),
    ),
    max_size=30,
)


def appear(runs: Roster, run_id: str, since: int) -> None:
    if run_id not in runs.runs and runs.is_candidate(run_id, listed(run_id, since=since)):
        assert run_id not in runs._done
        if runs.takes(run_of(run_id)):
            runs.enter(WatchedRun.of("proj_1", runs.start_of(run_id)))


def make(runs: Roster, what: str, run_id: str, since: int) -> None:
    if what == "list":
        appear(runs, run_id, since)
    elif what == "open":
        runs.is_open = True
    elif what in {"want", "unwant", "put last"}:
        {"want": runs.want, "unwant": runs.unwant, "put last": runs.put_last}[what](run_id)
    elif (run := runs.runs.get(run_id)) is not None:
        if what == "set aside":
            runs.set_aside(run, run_of(run_id, since=since))
        else:
            {"remove": runs.remove, "end": runs.end, "read": runs.was_read}[what](run)


@given(happens=moves, finds=st.booleans())
def test_whatever_happens_a_run_is_followed_or_wanted_once_and_the_backlog_comes_out(
    happens: list[tuple[str, str]], finds: bool
) -> None:
    runs = roster(None if finds else ["run_1"])
    for since, (what, run_id) in enumerate(happens):
        make(runs, what, run_id, since)
        assert not set(runs.wanted) & set(runs.runs)
        assert runs.backlog == sum(run.in_backlog for run in runs.runs.values())
