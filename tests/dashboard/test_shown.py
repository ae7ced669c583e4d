"""Which runs of a project are shown."""

from __future__ import annotations

from dashboard_pieces import run_of

from nexus_async.dashboard.shown import Shown

RUNS = [run_of("going_on"), *(run_of(f"over_{i}", "Finished", since=i) for i in range(5))]


def shown(ended: int) -> list[str]:
    takes = Shown.of(RUNS, ended=ended)
    return [run.id for run in RUNS if takes(run)]


def test_those_that_go_on_and_the_last_ones_that_are_over_are_shown() -> None:
    assert shown(2) == ["going_on", "over_3", "over_4"]
    assert shown(0) == ["going_on"]


def test_a_run_that_was_shown_is_shown_when_it_is_over() -> None:
    takes = Shown.of(RUNS, ended=0)
    assert takes(run_of("new"))
    assert takes(run_of("new", "Errored"))
