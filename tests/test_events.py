"""How an entry of a log becomes an event: no entry is refused, and nothing of it is lost."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from nexus_async import Checkpoint, LogEntry
from nexus_async.events import event_of, metrics_of


def event(value: Any) -> Checkpoint | LogEntry:
    return event_of(
        value,
        project_id="proj_1",
        run_id="run_1",
        log_id="runlog_1",
        index=7,
        fingerprint="f00d",
        cursor="nxc1.x",
    )


def checkpoint(**payload: Any) -> Checkpoint:
    made = event({"ev": "trainingCheckpoint", "t": 1700200466147, "pl": {"step": 3, **payload}})
    assert isinstance(made, Checkpoint)
    return made


def test_a_checkpoint_has_step_metrics_message_and_time() -> None:
    made = checkpoint(log="Step 3, totalLoss: 6.4055E+01.", totalLoss=64.055)
    assert (made.step, made.metrics, made.message) == (3, {"totalLoss": 64.055}, "Step 3, totalLoss: 6.4055E+01.")
    assert made.time == 1700200466.147
    assert made.at is not None
    assert made.at.isoformat(timespec="milliseconds") == "2023-11-17T05:54:26.147+00:00"


def test_an_event_says_where_it_stood() -> None:
    made = checkpoint()
    assert (made.project_id, made.run_id, made.log_id, made.index) == ("proj_1", "run_1", "runlog_1", 7)
    assert (made.id, made.cursor) == ("runlog_1:7:f00d", "nxc1.x")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1, 1.0), (-0.5, -0.5), ("0.25", 0.25), ("1e-3", 1e-3), ("Infinity", math.inf), ("-Infinity", -math.inf),
        ("inf", math.inf), (float("inf"), math.inf), (10**400, math.inf), (-(10**400), -math.inf),
    ],
)  # fmt: skip
def test_a_metric_is_a_number_however_it_is_written(written: Any, read: float) -> None:
    assert metrics_of({"x": written}) == {"x": read}


@pytest.mark.parametrize("written", ["NaN", "nan", float("nan")])
def test_a_metric_may_be_no_number(written: Any) -> None:
    assert math.isnan(metrics_of({"x": written})["x"])


@pytest.mark.parametrize("written", [None, True, "best", "", [1], {"a": 1}])
def test_what_is_no_number_is_no_metric(written: Any) -> None:
    assert metrics_of({"x": written}) == {}


@pytest.mark.parametrize(("step", "read"), [(0, 0), (5.0, 5), (-1, -1), (2**60, 2**60)])
def test_a_step_is_a_whole_number(step: Any, read: int) -> None:
    assert checkpoint(step=step).step == read


@pytest.mark.parametrize("step", [None, 1.5, "3", True, math.nan, math.inf, [3]])
def test_a_checkpoint_without_a_sound_step_is_another_entry_with_its_payload(step: Any) -> None:
    payload = {"step": step, "totalLoss": 0.5}
    made = event({"ev": "trainingCheckpoint", "t": 1, "pl": payload})
    assert isinstance(made, LogEntry)
    assert (made.ev, made.payload) == ("trainingCheckpoint", payload)


@pytest.mark.parametrize(
    ("value", "ev", "payload"),
    [
        ({"ev": "trainingStarted", "t": 1, "pl": {"gpu": "T4"}}, "trainingStarted", {"gpu": "T4"}),
        ({"ev": "trainingCheckpoint", "t": 1}, "trainingCheckpoint", None),
        ({"ev": "trainingCheckpoint", "pl": [1]}, "trainingCheckpoint", [1]),
        ({"ev": 7}, "7", None), ({}, None, None), (7, None, 7), (None, None, None), ([1], None, [1]), ("x", None, "x"),
    ],
)  # fmt: skip
def test_any_other_entry_is_kept_as_it_is(value: Any, ev: str | None, payload: Any) -> None:
    made = event(value)
    assert isinstance(made, LogEntry)
    assert (made.ev, made.payload) == (ev, payload)


@pytest.mark.parametrize("t", [None, "soon", True, math.nan, math.inf, {}])
def test_an_entry_without_a_sound_time_has_none(t: Any) -> None:
    made = event({"ev": "x", "t": t})
    assert (made.time, made.at) == (None, None)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["ev", "t", "pl", "step", "log"]), inner),
)


@given(json_values)
def test_no_entry_is_refused(value: Any) -> None:
    assert event(value).index == 7
