"""The soak of the benchmarks, for as long as a test may take."""

from __future__ import annotations

from benchmarks.soak import LARGEST_GROWTH, RUNS, soak


def test_five_hundred_runs_watched_through_faults_are_told_of_as_their_logs_have_it_in_flat_memory() -> None:
    report = soak(10.0, step_seconds=0.5)  # of training and of what is late; with the tails some 20 s
    assert (len(report.logs), report.differing) == (RUNS, [])
    assert report.kinds["Checkpoint"] == sum(count for count, _ in report.logs.values())
    assert "LogReset" not in report.kinds
    assert report.struck > 200
    assert report.growth < LARGEST_GROWTH
