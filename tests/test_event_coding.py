"""Events as JSON: one shape, and each comes back as it was."""

from __future__ import annotations

import contextlib
import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings, strategies as st

from nexus_async import Event, InvalidEventError, decode_event, encode_event
from nexus_async.events import (
    CaughtUp,
    Checkpoint,
    Disconnected,
    FollowFailed,
    Lagged,
    LogEntry,
    LogReset,
    ProjectUnavailable,
    Reconnected,
    RunAdded,
    RunEnded,
    RunRemoved,
    StatusChanged,
)
from nexus_async.models.run import Run, RunAccelerator, RunCheckpoint, RunExecution, RunLimit, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable

OF_RUN: dict[str, Any] = {"project_id": "proj_1", "run_id": "run_1", "id": "x", "cursor": "nxc1.x"}
RUN = Run(
    id="run_1",
    project_id="proj_1",
    flow_id="flow_1",
    execution=RunExecution(accelerator=RunAccelerator(name="GPU_T4")),
    status=RunStatus(overview="Running", message="on it", update_data=1700200466147),
    create_date=1700200466000,
    update_date=1700200466147,
    log_ids=["runlog_1"],
)


def entry(payload: Any = None, **fields: Any) -> LogEntry:
    return LogEntry(
        **{**OF_RUN, "log_id": "runlog_1", "index": 0, "time": 1.5, "ev": "x", **fields}, payload=payload
    )


def checkpoint(**fields: Any) -> Checkpoint:
    common = {**OF_RUN, "log_id": "runlog_1", "index": 7, "time": 1.5, "step": 3, "metrics": {}}
    return Checkpoint(**{**common, **fields})


EXAMPLES = [
    (
        checkpoint(
            metrics={"totalLoss": 0.5, "bad": math.nan, "up": math.inf, "down": -math.inf}, message="Größe"
        ),
        (
            '{"v":1,"type":"Checkpoint","id":"x","projectId":"proj_1","runId":"run_1","cursor":"nxc1.x","label":null,'
            '"logId":"runlog_1","index":7,"time":1.5,"step":3,'
            '"metrics":{"totalLoss":0.5,"bad":"NaN","up":"Infinity","down":"-Infinity"},"message":"Größe"}'
        ),
    ),
    (
        entry({"gpu": ["T4", None, True]}, time=None, label="mine"),
        (
            '{"v":1,"type":"LogEntry","id":"x","projectId":"proj_1","runId":"run_1","cursor":"nxc1.x","label":"mine",'
            '"logId":"runlog_1","index":0,"time":null,"ev":"x","payload":{"gpu":["T4",null,true]}}'
        ),
    ),
    (
        StatusChanged(**OF_RUN, previous="Creating", run=RUN),
        (
            '{"v":1,"type":"StatusChanged","id":"x","projectId":"proj_1","runId":"run_1","cursor":"nxc1.x","label":null,'
            '"previous":"Creating","run":{"id":"run_1","projectId":"proj_1","flowId":"flow_1","execution":{"accelerator":'
            '{"name":"GPU_T4","count":1},"checkpoint":null,"limit":null},"status":{"overview":"Running","message":'
            '"on it","updateDate":1700200466147},"createDate":1700200466000,"updateDate":1700200466147,"features":'
            '{"preview":false,"matrix":false,"advancedEvaluation":false,"usingSlidingWindow":false},'
            '"logIds":["runlog_1"]}}'
        ),
    ),
    (
        Disconnected(id="x", project_ids=("proj_1",), since=1.5, error="timed out"),
        '{"v":1,"type":"Disconnected","id":"x","projectIds":["proj_1"],"since":1.5,"error":"timed out"}',
    ),
    (Lagged(id="x", after=None), '{"v":1,"type":"Lagged","id":"x","after":null}'),
    (CaughtUp(id="x"), '{"v":1,"type":"CaughtUp","id":"x"}'),
]
each_example = pytest.mark.parametrize(("event", "text"), EXAMPLES, ids=[type(e).__name__ for e, _ in EXAMPLES])


@each_example
def test_the_shape_is_what_it_was_in_every_release(event: Event, text: str) -> None:
    assert encode_event(event).decode() == text


@each_example
def test_an_event_of_an_earlier_release_is_read(event: Event, text: str) -> None:
    assert repr(decode_event(text)) == repr(event)
    assert repr(decode_event(text.encode())) == repr(event)


texts = st.text()
finite = st.floats(allow_nan=False, allow_infinity=False)
wild = st.text(st.characters(exclude_categories=()), max_size=5).filter(
    lambda t: not re.search("[\ud800-\udfff]{2}", t)
)
"""With lone surrogates; two of them side by side may be one character in JSON."""
payloads = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(-(10**400), 10**400) | finite | wild,
    lambda inner: st.lists(inner) | st.dictionaries(wild, inner),
)
runs = st.builds(
    Run,
    id=texts,
    status=st.builds(RunStatus, overview=texts, message=wild),
    execution=st.builds(
        RunExecution,
        accelerator=st.none() | st.builds(RunAccelerator, count=st.integers()),
        checkpoint=st.none() | st.builds(RunCheckpoint),
        limit=st.none() | st.builds(RunLimit),
    ),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(CaughtUp, id=wild),
    st.builds(Lagged, id=wild, after=st.none() | wild),
    st.builds(
        Checkpoint, metrics=st.dictionaries(wild, st.floats()), message=st.none() | wild, time=st.none() | finite
    ),
    st.builds(Disconnected, since=finite),
    st.builds(FollowFailed),
    st.builds(LogEntry, payload=payloads, time=st.none() | finite, ev=st.none() | wild),
    st.builds(LogReset),
    st.builds(ProjectUnavailable, label=st.none() | texts),
    st.builds(Reconnected, since=finite, seconds=finite),
    st.builds(RunAdded, run=runs),
    st.builds(RunEnded, run=runs),
    st.builds(RunRemoved),
    st.builds(StatusChanged, run=runs, previous=st.none() | texts),
)


@settings(max_examples=500)
@given(events)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert repr(decode_event(encode_event(event))) == repr(event)


@given(events)
def test_an_event_is_one_line_of_utf_8_that_any_reader_of_json_takes(event: Event) -> None:
    line = encode_event(event)
    assert len(line.splitlines()) == 1

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    assert json.loads(line.decode("utf-8"), parse_constant=refuse)["v"] == 1


@pytest.mark.parametrize(
    "payload", ["\ud800", {"\udfff": "a\ud800b"}, [10**400, -(10**400)], 2**64, -(2**63) - 1]
)
def test_a_payload_that_json_hardly_holds_survives(payload: Any) -> None:
    assert decode_event(encode_event(entry(payload))) == entry(payload)


@pytest.mark.parametrize(
    ("number", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_a_number_that_is_not_finite_is_a_text_within_a_payload(number: float, text: str) -> None:
    read = decode_event(encode_event(entry({"a": [number]})))
    assert read == entry({"a": [text]})


def nested(levels: int) -> Any:
    value: Any = "core"
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize("levels", [101, 400, 800])
def test_what_is_nested_deeply_is_text_within_the_payload_and_not_lost(levels: int) -> None:
    read = decode_event(encode_event(entry(nested(levels))))
    assert isinstance(read, LogEntry)
    value = read.payload
    for _ in range(100):
        [value] = value
    assert isinstance(value, str)
    assert json.loads(value) == nested(levels - 100)


def test_a_hundred_levels_of_a_payload_are_kept_as_they_are() -> None:
    assert decode_event(encode_event(entry(nested(100)))) == entry(nested(100))


def test_what_is_nested_beyond_all_measure_does_not_fail() -> None:
    read = decode_event(encode_event(entry(nested(100_000))))
    assert isinstance(read, LogEntry)
    assert "nested too deeply" in repr(read.payload)


def test_members_that_a_later_release_adds_are_passed_over() -> None:
    assert decode_event('{"v":1,"type":"CaughtUp","id":"x","more":[1]}') == CaughtUp(id="x")


def test_a_newer_version_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        InvalidEventError, match="is of version 2, this release reads up to 1: upgrade nexus-async"
    ):
        decode_event('{"v":2,"type":"CaughtUp","id":"x"}')


def test_an_unknown_type_is_refused_by_its_name() -> None:
    with pytest.raises(InvalidEventError, match="RunPaused"):
        decode_event('{"v":1,"type":"RunPaused","id":"x"}')


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "[]", "null", "7", '"CaughtUp"', "{}", '{"type":"CaughtUp","id":"x"}', '{"v":null}', '{"v":true}',
        '{"v":"1"}', '{"v":1.0}', '{"v":0}', '{"v":-1}', '{"v":1}', '{"v":1,"type":7}', '{"v":1,"type":"CaughtUp"}',
        '{"v":1,"type":"CaughtUp","id":7}', '{"v":1,"type":"\\ud800","id":"x"}', "[" * 100_000, "9" * 5000,
        '{"v":' + "9" * 4000 + "}", b"\xff\xfe\xfd", b"",
        encode_event(checkpoint()).replace(b'"metrics":{}', b'"metrics":{"a":"\\ud800"}'),
        encode_event(checkpoint()).replace(b'"metrics":{}', b'"metrics":{"a":1' + b"0" * 400 + b"}"),
        encode_event(checkpoint()).replace(b'"step":3', b'"step":1.5'),
        encode_event(checkpoint())[:-1],
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused_in_a_short_line(text: str | bytes) -> None:
    with pytest.raises(InvalidEventError) as refusal:
        decode_event(text)
    assert len(str(refusal.value)) < 300
    assert len(str(refusal.value).splitlines()) == 1


@pytest.mark.parametrize(
    "decode", [decode_event, lambda text: decode_event(text.encode("utf-8", "surrogatepass"))]
)
@given(
    text=st.text() | payloads.map(json.dumps) | payloads.map(lambda v: json.dumps({"v": 1, "type": v, "id": v}))
)
def test_no_garbage_raises_anything_else(decode: Callable[[str], Event], text: str) -> None:
    with contextlib.suppress(InvalidEventError):
        decode(text)
