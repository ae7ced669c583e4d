"""What a page begins with."""

from __future__ import annotations

import pytest
from dashboard_pieces import added, checkpoint, of_run, run_of

from nexus_async import (
    CaughtUp,
    Disconnected,
    Event,
    FollowFailed,
    ProjectUnavailable,
    Reconnected,
    RunEnded,
    RunRemoved,
    StatusChanged,
)
from nexus_async.dashboard.board import MOST_EVENTS, MOST_ROWS, Board, Row, rows_written

OUTAGE = Disconnected(id="o", project_ids=("proj_1",), since=5.0, error="503")


def board(*events: Event) -> Board:
    made = Board(lambda: 7.0)
    for event in events:
        made.take(event)
    return made


def only_row(*events: Event) -> dict[str, object]:
    [row] = board(added(run_of()), *events).written()["runs"]
    assert isinstance(row, dict)
    return row


def test_a_run_is_a_row_with_its_curve() -> None:
    row = only_row(checkpoint(3, totalLoss=0.5))
    assert (row["steps"], row["metrics"], row["count"]) == ([3], {"totalLoss": [0.5]}, 1)
    assert row["run"]["status"]["overview"] == "Running"  # type: ignore[index]  # as JSON takes it


@pytest.mark.parametrize(
    "event",
    [
        StatusChanged(**of_run(), previous="Running", run=run_of(status="Errored")),
        RunEnded(**of_run(), run=run_of(status="Errored"), outcome="Errored", drained=True),
    ],
)
def test_a_row_has_the_last_status(event: Event) -> None:
    assert only_row(event)["run"]["status"]["overview"] == "Errored"  # type: ignore[index]  # as JSON takes it


FAILED = FollowFailed(**of_run(), error="404", fatal=False)


def test_a_run_that_cannot_be_followed_says_why_until_it_can() -> None:
    assert only_row(FAILED)["failure"] == "404"
    assert only_row(FAILED, checkpoint(1))["failure"] is None


def test_a_run_that_is_followed_no_more_says_so_until_it_is_anew() -> None:
    removed = RunRemoved(**of_run())
    assert only_row(removed)["followed"] is False
    assert only_row(removed, added(run_of()))["followed"] is True


def test_an_outage_is_told_while_it_lasts() -> None:
    over = Reconnected(id="r", project_ids=("proj_1",), since=5.0, seconds=2.0)
    assert board(OUTAGE).written()["outage"]["since"] == 5.0
    assert board(OUTAGE, over).written()["outage"] is None


def test_a_project_that_cannot_be_reached_is_told() -> None:
    refused = ProjectUnavailable(id="p", project_id="proj_1", error="403")
    assert board(refused).written()["refused"] == {"proj_1": "403"}


def test_events_are_told_with_their_time_but_for_checkpoints() -> None:
    told = board(added(run_of()), checkpoint(1), CaughtUp(id="c"), OUTAGE).written()["events"]
    assert [(each["at"], each["event"]["type"]) for each in told] == [(7.0, "RunAdded"), (7.0, "Disconnected")]


def test_the_last_events_are_kept() -> None:
    events = [Disconnected(id=str(i), project_ids=(), since=0.0, error="") for i in range(MOST_EVENTS + 5)]
    told = board(*events).written()["events"]
    assert (len(told), told[-1]["event"]["id"]) == (MOST_EVENTS, str(MOST_EVENTS + 4))


def test_of_too_many_runs_the_oldest_that_is_over_is_forgotten() -> None:
    made = board(added(run_of("going_on")), added(run_of("over", "Finished")))
    for i in range(MOST_ROWS - 1):
        made.take(added(run_of(f"run_{i}")))
    assert "over" not in made.rows
    assert (len(made.rows), "going_on" in made.rows) == (MOST_ROWS, True)


def test_an_event_of_a_run_that_is_not_known_changes_no_row() -> None:
    assert board(checkpoint(1)).written()["runs"] == []


def test_many_rows_share_the_values_that_a_page_begins_with() -> None:
    rows = [Row(run_of(f"run_{i}")) for i in range(4)]
    for row in rows:
        for step in range(300):
            row.curve.add(checkpoint(step, totalLoss=float(step)))
    told = rows_written(rows, {"flow_1": "My flow"}, values=1200)
    assert all(90 <= len(each["steps"]) <= 100 for each in told)
    assert {each["title"] for each in told} == {"My flow"}
