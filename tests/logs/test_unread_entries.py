"""Entries that no parser takes: they are kept as their text, and never poison a log."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from nexus_async import LogEntry
from nexus_async.events import event_of
from nexus_async.logs import LogReader, slices

DEEP = b'{"ev":"deep","pl":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
MALFORMED = b'{"ev":"odd","pl":tru}'
unread = pytest.mark.parametrize("odd", [DEEP, MALFORMED], ids=["nested too deep", "no JSON"])


def body_of(*entries: bytes, tail: bytes = b"]}") -> bytes:
    return b'{"id":"runlog_x","logs":[' + b",".join(entries) + tail


def read(reader: LogReader, body: bytes) -> list[Any]:
    reading = reader.open()
    reading.begin()
    reading.feed(body)
    return [step.entry.value for news in reading.news() for step in news.steps]


@unread
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_cannot_be_read_is_kept_as_its_text(odd: bytes, place: int) -> None:
    sound = [b'{"a":1}', b'{"b":"}]\\""}']
    values: list[Any] = [{"a": 1}, {"b": '}]"'}]
    sound.insert(place, odd)
    values.insert(place, odd.decode())
    assert read(LogReader(), body_of(*sound)) == values


@unread
def test_a_log_goes_on_behind_what_cannot_be_read(odd: bytes) -> None:
    reader = LogReader()
    read(reader, body_of(b'{"a":1}', odd))
    assert read(reader, body_of(b'{"a":1}', odd, b'{"a":2}')) == [{"a": 2}]


@unread
def test_what_cannot_be_read_is_known_again_by_another_encoding_of_the_others(odd: bytes) -> None:
    reader = LogReader()
    read(reader, body_of(b'{"a":1}', odd))
    assert read(reader, body_of(b'{ "a" : 1 }', odd, b'{"a":2}')) == [{"a": 2}]


@unread
def test_what_cannot_be_read_does_not_hold_up_a_backlog(odd: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 20)
    others = [b'{"step":%d}' % step for step in range(100)]
    values = read(LogReader(), body_of(*others[:50], odd, *others[50:]))
    assert values == [
        *({"step": step} for step in range(50)),
        odd.decode(),
        *({"step": s} for s in range(50, 100)),
    ]


@unread
def test_what_cannot_be_read_becomes_an_entry_with_its_text(odd: bytes) -> None:
    [value] = read(LogReader(), body_of(odd))
    event = event_of(value, project_id="p", run_id="r", log_id="l", index=0, fingerprint="f", cursor="c")
    assert isinstance(event, LogEntry)
    assert (event.ev, event.payload) == (None, odd.decode())


@given(st.data())
def test_a_body_that_breaks_off_is_never_taken_for_one_with_odd_entries(data: st.DataObject) -> None:
    body = body_of(b'{"a":1}', MALFORMED, b'{"c":[{"d":"x]}"}]}')
    cut = data.draw(st.integers(0, len(body) - 3))
    with pytest.raises(msgspec.DecodeError):
        read(LogReader(), body[:cut])
