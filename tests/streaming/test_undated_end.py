"""The end of a run whose answers do not tell when it was."""

from __future__ import annotations

from nexus_async.pacing.clock import ServerClock
from nexus_async.streaming.drain import over_for


def test_a_run_that_ended_at_no_known_time_ended_just_now() -> None:
    assert over_for(0, 1_700_000_000.0, ServerClock()) == 0.0


def test_a_run_that_ended_at_a_known_time_is_over_since_then() -> None:
    assert over_for(1_699_999_000_000, 1_700_000_000.0, ServerClock()) == 1000.0
