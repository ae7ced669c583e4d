"""Reading a log again and again: each entry once, whatever the bytes, the chunks and the restarts."""

from __future__ import annotations

import gzip
import json
import zlib
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from nexus_async.logs import Entry, LogReader, Position, slices
from nexus_async.logs.entries import entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async.logs import Reset

ODD = [float("nan"), float("inf"), "\ud800", "}, {", '"logs":[', "],", 10**30]
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=8), st.floats(), st.sampled_from(ODD)
)
entries = st.one_of(
    st.fixed_dictionaries({"ev": st.just("trainingCheckpoint"), "t": st.integers(0, 3)}, optional={"pl": values}),
    st.dictionaries(st.sampled_from(["ev", "t", "pl", "x"]), values, max_size=3),
    st.integers(0, 3),
)
logs = st.lists(entries, max_size=12)


def compact(log: list[Any], *, tail: str = "}") -> bytes:
    text = ",".join(json.dumps(entry, separators=(",", ":")) for entry in log)
    return f'{{"id":"runlog_x","logs":[{text}]{tail}'.encode()


def spaced(log: list[Any]) -> bytes:
    return json.dumps(
        {"logs": [dict(reversed(e.items())) if isinstance(e, dict) else e for e in log], "id": "x"}
    ).encode()


def id_last(log: list[Any]) -> bytes:
    return compact(log, tail=',"id":"x]}"}')


def wrapped(log: list[Any]) -> bytes:
    return json.dumps({"meta": {"logs": [1]}, "logs": log}).encode()


BODIES = [compact, spaced, id_last, wrapped]


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 60)


def read(reader: LogReader, body: bytes, chunk: int = 10_000) -> tuple[list[Any], list[Reset]]:
    reading = reader.open()
    for start in range(0, len(body), chunk):
        reading.feed(body[start : start + chunk])
    news = list(reading.news())
    steps = [step for each in news for step in each.steps]
    return [step.entry.value for step in steps], [each.reset for each in news if each.reset is not None]


def same(got: list[Any], expected: list[Any]) -> bool:
    # NaN is not equal to itself
    return json.dumps(got, sort_keys=True) == json.dumps(expected, sort_keys=True)


@pytest.fixture(params=BODIES)
def body_of(request: pytest.FixtureRequest) -> Callable[[list[Any]], bytes]:
    made: Callable[[list[Any]], bytes] = request.param
    return made


@given(
    log=logs,
    cuts=st.lists(st.integers(0, 12)),
    chunk=st.sampled_from([1, 7, 64, 10_000]),
    form=st.sampled_from(BODIES),
)
def test_a_growing_log_is_read_once_and_in_order(
    log: list[Any], cuts: list[int], chunk: int, form: Callable[[list[Any]], bytes]
) -> None:
    reader, got = LogReader(), []
    for cut in [*sorted(cuts), len(log)]:
        new, resets = read(reader, form(log[:cut]), chunk)
        got += new
        assert resets == []
    assert same(got, log)


@given(log=logs, cut=st.integers(0, 12), forms=st.tuples(st.sampled_from(BODIES), st.sampled_from(BODIES)))
def test_other_bytes_of_the_same_meaning_are_no_reset(
    log: list[Any], cut: int, forms: tuple[Callable[[list[Any]], bytes], Callable[[list[Any]], bytes]]
) -> None:
    reader = LogReader()
    read(reader, forms[0](log[:cut]))
    new, resets = read(reader, forms[1](log))
    assert same(new, log[cut:])
    assert resets == []


@given(log=logs, restart=st.integers(0, 12), form=st.sampled_from(BODIES))
def test_reading_goes_on_from_any_entrys_position(
    log: list[Any], restart: int, form: Callable[[list[Any]], bytes]
) -> None:
    reading = LogReader().open()
    reading.feed(form(log))
    positions = [step.position for news in reading.news() for step in news.steps]
    position = [Position(), *positions][min(restart, len(positions))]
    new, resets = read(LogReader(position), form([*log, {"ev": "more"}]))
    assert same(new, [*log[restart:], {"ev": "more"}])
    assert resets == []


@given(before=logs, after=logs)
def test_a_log_that_changed_is_told_of_and_no_index_names_two_entries(
    before: list[Any], after: list[Any]
) -> None:
    seen: dict[int, bytes] = {}
    reader = LogReader()
    for body in (compact(before), compact(after)):
        reading = reader.open()
        reading.feed(body)
        for news in reading.news():
            for step in news.steps:
                assert step.index not in seen
                seen[step.index] = step.entry.fingerprint
    assert sorted(seen) == list(range(len(seen)))
    assert reader.position.read == len(after)


@given(log=st.lists(st.integers(), unique=True, min_size=1, max_size=30), cut=st.integers(0, 30))
def test_a_log_cut_at_the_front_is_gone_on_with_where_the_last_entries_are_found(
    log: list[int], cut: int
) -> None:
    reader = LogReader()
    read(reader, compact(log))
    kept = log[cut:]
    new, _ = read(reader, compact([*kept, "new"]))
    assert new == ["new"]


def distinct(count: int, start: int = 0) -> list[dict[str, Any]]:
    return [{"ev": "e", "t": 1, "pl": {"step": step}} for step in range(start, start + count)]


def test_a_shorter_log_is_a_reset_and_what_is_still_there_is_not_read_again(
    body_of: Callable[..., bytes],
) -> None:
    reader = LogReader()
    read(reader, body_of(distinct(10)))
    new, [reset] = read(reader, body_of(distinct(6)))
    assert (new, reset.read, reset.recognized, reset.resumes_at) == ([], 10, 4, 6)


def test_a_log_that_is_empty_again_is_a_reset_and_then_read_from_its_first_entry() -> None:
    reader = LogReader()
    read(reader, compact(distinct(3)))
    assert read(reader, compact([]))[1][0].resumes_at == 0
    assert read(reader, compact(distinct(3))) == (distinct(3), [])


def test_a_rewritten_log_is_read_from_its_first_entry() -> None:
    reader = LogReader()
    read(reader, compact(distinct(3)))
    new, [reset] = read(reader, compact(distinct(4, start=100)))
    assert (new, reset.recognized) == (distinct(4, start=100), 0)


def test_the_earliest_of_several_places_that_fit_is_taken() -> None:
    reader = LogReader()
    read(reader, compact([1, 2]))
    new, [reset] = read(reader, compact([7, 1, 2, 5, 1, 2, 6]))
    assert (new, reset.resumes_at) == ([5, 1, 2, 6], 3)


def test_the_longest_stretch_that_is_found_again_decides() -> None:
    reader = LogReader()
    read(reader, compact([1, 2, 3]))
    new, [reset] = read(reader, compact([3, 2, 3, 9]))
    assert (new, reset.recognized, reset.resumes_at) == ([9], 2, 3)


def test_only_what_follows_the_bytes_that_were_read_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LogReader()
    read(reader, compact(distinct(50)))
    decoded: list[msgspec.Raw] = []

    def counted(raw: msgspec.Raw) -> Entry:
        decoded.append(raw)
        return entry_of(raw)

    monkeypatch.setattr(slices, "entry_of", counted)
    read(reader, compact(distinct(51)))
    assert len(decoded) == 1


@pytest.mark.parametrize("form", [compact, spaced, id_last])
def test_nothing_is_decoded_where_the_whole_body_is_the_same(
    form: Callable[[list[Any]], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = LogReader()
    for length in (50, 51):
        read(reader, form(distinct(length)))
        with monkeypatch.context() as patch:
            patch.setattr("nexus_async.logs.reader.entries_from", None)
            assert read(reader, form(distinct(length))) == ([], [])


def test_bytes_that_prove_to_be_the_same_are_let_go_while_they_arrive() -> None:
    reader = LogReader()
    body = compact(distinct(1000))
    read(reader, body)
    reading = reader.open()
    for start in range(0, len(body), 100):
        reading.feed(body[start : start + 100])
    assert sum(map(len, reading._chunks)) < 200


def test_much_that_was_read_is_let_go_while_it_is_compared_and_asked_for_again_where_it_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nexus_async.logs.reader.KEPT", 100)
    reader = LogReader()
    read(reader, compact(distinct(50)))
    for body in (compact(distinct(51, start=1)), compact(distinct(3))):
        reading = reader.open()
        for start in range(0, len(body), 64):
            reading.feed(body[start : start + 64])
        assert reading.is_lost
        assert reading._chunks == []
        with pytest.raises(msgspec.DecodeError, match="read again"):
            list(reading.news())
        reader = LogReader(msgspec.structs.replace(reader.position))
        read(reader, compact(distinct(50)))
    assert read(reader, compact(distinct(51))) == ([distinct(51)[50]], [])


def test_a_backlog_is_decoded_in_slices() -> None:
    reading = LogReader().open()
    reading.feed(compact(distinct(100)))
    assert max(len(news.steps) for news in reading.news()) <= 3


def test_an_entry_longer_than_a_slice_is_read_whole() -> None:
    log = [{"pl": {f"}},{{{i}": {"x": "}, {" * 50} for i in range(5)}}, *distinct(3)]
    assert read(LogReader(), compact(log)) == (log, [])


@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"[]", b"{}", b'{"logs": 7}', b'{"logs": [1', b'{"logs":[1,2]', b'{"id":"x","logs":[1}'],
)
def test_what_is_no_log_is_refused_and_changes_nothing(body: bytes) -> None:
    reader = LogReader()
    with pytest.raises(msgspec.DecodeError):
        read(reader, body)
    assert reader.position.read == 0


def test_a_body_that_breaks_off_behind_what_was_read_is_refused_and_the_next_is_read() -> None:
    reader = LogReader()
    read(reader, compact(distinct(5)))
    with pytest.raises(msgspec.DecodeError):
        read(reader, compact(distinct(6))[:-30])
    assert read(reader, compact(distinct(9))) == (distinct(9)[5:], [])


def test_a_body_that_cannot_go_on_behind_what_was_read_is_judged_by_its_meaning_the_next_time() -> None:
    reader = LogReader()
    read(reader, compact([1]))
    with pytest.raises(msgspec.DecodeError):
        read(reader, compact([1.5]))
    new, [reset] = read(reader, compact([1.5]))
    assert (new, reset.read) == ([1.5], 1)


@given(log=logs, cut=st.integers(0, 400))
def test_a_body_that_breaks_off_anywhere_loses_and_doubles_nothing(log: list[Any], cut: int) -> None:
    reader, got = LogReader(), []
    body = compact(log)
    reading = reader.open()
    reading.feed(body[:cut])
    try:
        for news in reading.news():
            got += [step.entry.value for step in news.steps]
    except msgspec.DecodeError:
        pass
    new, resets = read(reader, body)
    assert same(got + new, log)
    assert resets == []


def test_odd_entries_leave_the_others_fingerprints_as_they_are() -> None:
    def fingerprints(log: list[Any]) -> Iterator[bytes]:
        reading = LogReader().open()
        reading.feed(compact(log))
        return (step.entry.fingerprint for news in reading.news() for step in news.steps)

    plain = list(fingerprints(distinct(4)))
    odd = list(fingerprints([*distinct(2), {"pl": float("nan")}, {"pl": None}, "\ud800", *distinct(2, start=2)]))
    assert odd[:2] + odd[-2:] == plain
    assert len({*odd}) == 7


def read_packed(reader: LogReader, log: list[Any], pack: Callable[[bytes], bytes] = gzip.compress) -> list[Any]:
    reading = reader.open()
    reading.begin(coding="gzip")
    packed = pack(compact(log))
    for start in range(0, len(packed), 50):
        reading.feed(packed[start : start + 50])
    return [step.entry.value for news in reading.news() for step in news.steps]


def in_two_members(body: bytes) -> bytes:
    return gzip.compress(body[:200]) + gzip.compress(body[200:])


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, in_two_members])
def test_a_compressed_log_is_read_as_any_other(pack: Callable[[bytes], bytes]) -> None:
    reader = LogReader()
    assert read_packed(reader, distinct(30), pack) == distinct(30)
    assert read_packed(reader, distinct(33), pack) == distinct(33)[30:]
    assert read(reader, compact(distinct(34))) == (distinct(34)[33:], [])


def test_equal_compressed_bytes_are_not_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = LogReader()
    packed = gzip.compress(compact(distinct(30)))
    read_packed(reader, distinct(30), lambda _: packed)
    monkeypatch.setattr("nexus_async.logs.reader.zlib.decompressobj", None)
    assert read_packed(reader, distinct(30), lambda _: packed) == []


@pytest.mark.parametrize("broken", [b"nonsense", gzip.compress(compact(distinct(30)))[:-20], b""])
def test_what_does_not_inflate_is_refused_and_changes_nothing(broken: bytes) -> None:
    reader = LogReader()
    with pytest.raises(msgspec.DecodeError, match="does not inflate"):
        read_packed(reader, [], lambda _: broken)
    assert read_packed(reader, distinct(3)) == distinct(3)


def test_a_coding_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(msgspec.DecodeError, match="'zstd'"):
        LogReader().open().begin(coding="zstd")


def read_tagged(reader: LogReader, log: list[Any], etag: str) -> str | None:
    """Read a body with a validator; return the one that it was asked with."""
    reading = reader.open(conditional=True)
    reading.begin(etag=etag)
    reading.feed(compact(log))
    list(reading.news())
    return reading.if_none_match


def test_a_validator_is_asked_with_once_its_body_was_wholly_read() -> None:
    reader = LogReader()
    assert read_tagged(reader, distinct(3), '"a"') is None
    assert read_tagged(reader, distinct(4), '"b"') == '"a"'
    assert reader.open(conditional=True).if_none_match == '"b"'
    assert reader.open().if_none_match is None


def test_a_validator_of_a_body_that_was_not_read_to_its_end_does_not_count() -> None:
    reader = LogReader()
    read_tagged(reader, distinct(3), '"a"')
    reading = reader.open(conditional=True)
    reading.begin(etag='"b"')
    reading.feed(compact(distinct(100)))
    next(reading.news())
    assert reader.etag is None


def test_a_body_that_is_left_out_brings_nothing_and_keeps_the_validator() -> None:
    reader = LogReader()
    read_tagged(reader, distinct(3), '"a"')
    reading = reader.open(conditional=True)
    reading.begin(left_out=True)
    assert list(reading.news()) == []
    assert (reader.etag, reader.position.read) == ('"a"', 3)


@pytest.mark.parametrize(
    ("odd", "read_as"),
    [
        (b'{"ev":"\xff"}', {"ev": "�"}),
        (b'{"n":' + b"1" * 5000 + b"}", {"n": "1" * 5000}),
        (b'{"n":NaN}', {"n": None}),
    ],
)
def test_an_odd_entry_never_poisons_the_log(odd: bytes, read_as: dict[str, Any]) -> None:
    reader = LogReader()
    body = b'{"id":"x","logs":[{"a":1},' + odd + b',{"b":2}]}'
    new, _ = read(reader, body)
    assert new[0] == {"a": 1}
    assert new[2] == {"b": 2}
    assert new[1].keys() == read_as.keys()
    assert new[1] == read_as or read_as == {"n": None}
    assert read(reader, body) == ([], [])


def test_a_last_entry_that_went_on_is_not_taken_for_a_new_one() -> None:
    reader = LogReader()
    read(reader, b'{"logs":[1]}')
    with pytest.raises(msgspec.DecodeError):
        read(reader, b'{"logs":[12]}')
    new, [reset] = read(reader, b'{"logs":[12]}')
    assert (new, reset.read) == ([12], 1)


def test_an_array_behind_the_log_is_never_taken_for_the_log() -> None:
    reader = LogReader()
    assert read(reader, b'{"logs": [1, 2], "of": [2]}')[0] == [1, 2]
    assert read(reader, b'{"logs": [1, 2], "of": [2, 3]}')[0] == []
    assert read(reader, b'{"logs": [1, 2, 2], "of": [2, 3]}')[0] == [2]
