"""Fingerprints: they stand for what an entry means, whatever stands beside it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from nexus_async.logs.entries import decode_entries

scalars = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text()
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def fingerprints(*raws: str) -> list[bytes]:
    return [entry.fingerprint for entry in decode_entries(f'{{"logs":[{",".join(raws)}]}}'.encode())]


def backwards(value: Any) -> Any:
    match value:
        case dict():
            return {key: backwards(value[key]) for key in reversed(value)}
        case list():
            return [backwards(item) for item in value]
        case _:
            return value


@given(values, st.sampled_from(["NaN", '"\\ud800"', '{"a":-Infinity}']))
def test_an_odd_neighbour_changes_no_fingerprint(value: object, odd: str) -> None:
    raw = json.dumps(value)
    assert fingerprints(raw, odd)[0] == fingerprints(raw)[0]


@given(values)
def test_key_order_and_white_space_change_no_fingerprint(value: object) -> None:
    assert fingerprints(json.dumps(value)) == fingerprints(
        json.dumps(backwards(value), indent=2, ensure_ascii=True)
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("NaN", "null"),
        ("NaN", '"NaN"'),
        ("Infinity", "-Infinity"),
        ("1", '"1"'),
        ("[]", "{}"),
        ('{"a":1}', '{"a":2}'),
    ],
)
def test_what_means_something_else_has_another_fingerprint(one: str, other: str) -> None:
    assert fingerprints(one) != fingerprints(other)


def test_a_fingerprint_is_the_same_in_every_process_and_release() -> None:
    assert fingerprints('{"ev": "e", "t": 1, "pl": {"step": 2, "a": 0.5}}')[0].hex() == "a8ff6aeed714fe1d"


def test_a_fingerprint_is_eight_bytes() -> None:
    assert {len(each) for each in fingerprints("1", "NaN", '"\\ud800"', "{}")} == {8}


def test_an_odd_entry_keeps_its_value() -> None:
    assert [entry.value for entry in decode_entries(rb'{"logs":[{"a":Infinity},"\ud800",{"b":[]}]}')] == [
        {"a": float("inf")},
        "\ud800",
        {"b": []},
    ]


@pytest.mark.parametrize(
    "body", [b'{"logs":{"a":NaN}}', b'{"log":[NaN]}', b"[NaN]", b"NaN", b'{"logs":"\\ud800"}']
)
def test_what_only_the_standard_library_reads_and_is_no_log_is_refused(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_entries(body)
