"""Reading a log through failures and restarts: each entry once, in order, and nothing told that did not happen."""

from __future__ import annotations

import gzip
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec
import pytest
import xxhash
from hypothesis import given, settings, strategies as st

from nexus_async.events import event_of
from nexus_async.logs import Cursor, LogReader, Position, reader as reader_module, slices

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.logs import Reset, Step

Change = TypeVar("Change")

RUN, LOG = "run_1", "runlog_1"
REMEMBERED = 8
"""Entries by which a log that changed is recognized: part of what a cursor promises."""

ODD = [float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", "\ud800", "}, {", "],", '"logs":[', '\\"é\n']
values = st.sampled_from([None, True, 0, 1, 1.0, -0.0, 0.5, 10**30, {}, *ODD])
checkpoints = st.builds(
    lambda t, step, metrics: {"ev": "trainingCheckpoint", "t": t, "pl": {"step": step, **metrics}},
    st.integers(0, 1),
    st.integers(0, 3),
    st.dictionaries(st.sampled_from(["totalLoss", "lr"]), values, max_size=2),
)
others: st.SearchStrategy[Any] = st.sampled_from(
    [
        {"ev": "trainingCheckpoint", "t": 0},
        {"ev": "trainingCheckpoint", "t": 0, "pl": None},
        {"ev": "unheardOf", "t": 0, "pl": {"step": 1, "totalLoss": 0.5}},
        {"t": float("nan")},
        {},
        [],
        "\ud800",
        "}, {",
        None,
        7,
        71,
    ]
)
entries = checkpoints | others
logs = st.lists(entries, max_size=14) | st.lists(entries, min_size=1, max_size=3).flatmap(
    lambda few: st.lists(st.sampled_from(few), max_size=20)  # many that are equal
)


def backwards(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


def compact(log: list[Any]) -> bytes:
    return json.dumps({"id": LOG, "logs": log}, separators=(",", ":")).encode()


def indented_backwards(log: list[Any]) -> bytes:
    return json.dumps({"logs": backwards(log), "id": LOG}, indent=1).encode()


def behind(tail: dict[str, Any]) -> Callable[[list[Any]], bytes]:
    """Return a form that has more behind its entries, some of it much like the last of them."""

    def with_more(log: list[Any]) -> bytes:
        like_it = {name: [*log[-1:], *more] for name, more in tail.items()}
        return json.dumps({"logs": log, "id": ',"id":"x]}', **like_it}).encode()

    return with_more


def wrapped(log: list[Any]) -> bytes:
    return b"\n" + json.dumps({"meta": {"logs": [1]}, "logs": log}).encode()


def unescaped(log: list[Any]) -> bytes:
    try:
        return json.dumps({"id": LOG, "logs": log}, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # a lone surrogate has to be escaped
        return compact(log)


MORE_BEHIND = [behind({}), behind({"of": [{"ev": "no entry"}]}), behind({"of": [7, "no entry"]})]
FORMS = [compact, indented_backwards, wrapped, unescaped, *MORE_BEHIND]


@dataclass(frozen=True)
class Poll:
    """Say in which bytes a snapshot comes, what befalls them, and whether the reader is started anew behind it."""

    form: Callable[[list[Any]], bytes] = compact
    is_packed: bool = False
    is_conditional: bool = False
    chunks: tuple[int, ...] = (10_000,)
    fate: Literal["whole", "cut", "lost", "broken", "empty", "nothing"] = "whole"
    share: float = 1.0
    """Where in the body it breaks off."""
    dies_after: int | None = None
    """Slices that are taken before the reader is started anew; those that follow are not."""
    back: int | None = None
    """Events before the last to start anew behind; 0 is from where the reader itself stands."""

    def bytes_of(self, log: list[Any]) -> tuple[bytes, str]:
        """Return the body as it arrives, and the validator that the server gave it."""
        body = self.form(log)
        if self.fate == "broken":
            body = body[: int(self.share * len(body))] + b"<html>"
        sent = gzip.compress(body, mtime=0) if self.is_packed else body
        etag = xxhash.xxh3_64_hexdigest(self.form(log) + bytes(self.is_packed))
        if self.fate in {"cut", "lost"}:
            sent = sent[: int(self.share * (len(sent) - 1))]
        return (b"" if self.fate == "empty" else sent), etag


@st.composite
def courses_of(draw: st.DrawFn, changes: st.SearchStrategy[Change]) -> list[tuple[Change, Poll]]:
    """Draw what happens to a log before each of its polls. A server has its habits: few things happen often."""
    some = st.sampled_from
    fates = draw(st.lists(some(["cut", "lost", "broken", "empty", "nothing"]), max_size=2))
    polls = st.builds(
        Poll,
        form=some(draw(some([[compact], [compact, unescaped], MORE_BEHIND, FORMS]))),
        is_packed=some(draw(some([[False], [True], [False, True]]))),
        is_conditional=some(draw(some([[False], [True], [False, True]]))),
        chunks=st.lists(some([1, 2, 7, 50, 10_000]), min_size=1, max_size=3).map(tuple),
        fate=some(["whole", "whole", *fates]),
        share=st.floats(0, 1) | st.floats(0.7, 1),
        dies_after=some(draw(some([[None], [None, 0, 1, 2, 4]]))),
        back=some(draw(some([[None], [None, 0, 1, 2, 6]]))),
    )
    return draw(st.lists(st.tuples(changes, polls), max_size=12))


@dataclass(frozen=True)
class Event:
    index: int
    value: Any
    id: str
    cursor: str
    held: tuple[Any, ...]
    """What was read of the log by then, from its first entry."""


@dataclass
class Taken:
    """Hold what a poll brought. `is_whole` where the snapshot was read to its end."""

    is_whole: bool = False
    values: list[Any] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)


@dataclass
class Consumer:
    """Read a log as a stream does, one that can be killed at any time and started again from any event."""

    reader: LogReader = field(default_factory=LogReader)
    held: tuple[Any, ...] = ()
    events: list[Event] = field(default_factory=list)
    ids: dict[str, str] = field(default_factory=dict)

    def poll(self, poll: Poll, log: list[Any]) -> Taken:
        taken = Taken()
        reading = self._received(poll, log, conditional=poll.is_conditional)
        if poll.fate in {"whole", "cut", "broken", "empty"} and not reading.is_lost:
            self._take(reading, poll, log, taken)
        elif poll.fate == "whole":  # too much of the body was let go: it is asked for again
            self.reader.forget_bytes()
            self._take(self._received(poll, log, conditional=False), poll, log, taken)
        if poll.back is not None:
            self._start_anew(poll.back)
        return taken

    def _received(self, poll: Poll, log: list[Any], *, conditional: bool) -> reader_module.Reading:
        reading = self.reader.open(conditional=conditional)
        if poll.fate == "nothing":
            return reading
        body, etag = poll.bytes_of(log)
        left_out = reading.if_none_match == etag
        reading.begin(etag=etag, coding="gzip" if poll.is_packed else "identity", left_out=left_out)
        for chunk in [] if left_out else chunks_of(body, poll.chunks):
            reading.feed(chunk)
        return reading

    def _take(self, reading: reader_module.Reading, poll: Poll, log: list[Any], taken: Taken) -> None:
        news = reading.news()
        try:
            for each in itertools.islice(news, poll.dies_after):
                if each.reset is not None:
                    taken.resets.append(each.reset)
                    self.held = tuple(log[: each.reset.resumes_at])
                for step in each.steps:
                    taken.values.append(step.entry.value)
                    self._note(step)
            taken.is_whole = next(news, None) is None if poll.dies_after is None else False
        except msgspec.DecodeError:
            return
        if poll.dies_after is not None and poll.back is None:
            self._start_anew(0)

    def _note(self, step: Step) -> None:
        self.held = (*self.held, step.entry.value)
        event = event_of(
            step.entry.value,
            project_id="proj_1",
            run_id=RUN,
            log_id=LOG,
            index=step.index,
            fingerprint=step.entry.fingerprint.hex(),
            cursor=Cursor(RUN, {LOG: step.position}).token(),
        )
        meaning = meaning_of(step.entry.value)
        assert self.ids.setdefault(event.id, meaning) == meaning
        assert event.index == len(self.events)
        self.events.append(Event(event.index, step.entry.value, event.id, event.cursor, self.held))

    def _start_anew(self, back: int) -> None:
        """Forget all but a token."""
        if back == 0:
            token = Cursor(RUN, {LOG: self.reader.position}).token()
        else:
            del self.events[max(0, len(self.events) - back + 1) :]
            token = self.events[-1].cursor if self.events else Cursor(RUN).token()
            self.held = self.events[-1].held if self.events else ()
        self.reader = LogReader(Cursor.parse(token, run_id=RUN).logs.get(LOG, Position()))


def chunks_of(body: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    chunks: list[bytes] = []
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(body):
            return chunks
        chunks.append(body[start : start + size])
        start += size
    return chunks


def meaning_of(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def meanings(many: tuple[Any, ...] | list[Any]) -> list[str]:
    return [meaning_of(value) for value in many]


def resumption(held: list[str], log: list[str]) -> tuple[int, int]:
    """Return how many of the remembered entries are found again, and where the log goes on, by trying all."""
    tail = held[-REMEMBERED:]
    for length in range(len(tail), 0, -1):
        stretches = [tail[i : i + length] for i in range(len(tail) - length + 1)]
        for end in range(length, len(log) + 1):
            if log[end - length : end] in stretches:
                return length, end
    return 0, 0


sizes = st.sampled_from([20, 60, 1 << 16])
kept = st.sampled_from([0, 100, 1 << 20])


@settings(max_examples=200)
@given(log=logs, course=courses_of(st.integers(0, 5)), slice_=sizes, keeps=kept)
def test_a_log_that_only_grows_is_handed_out_once_and_in_order_through_failures_and_restarts(
    log: list[Any], course: list[tuple[int, Poll]], slice_: int, keeps: int
) -> None:
    consumer, shown = Consumer(), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE", slice_)
        patch.setattr(reader_module, "KEPT", keeps)
        for grown, poll in [*course, (len(log), Poll())]:
            shown = min(shown + grown, len(log))
            taken = consumer.poll(poll, log[:shown])
            handed_out = meanings([event.value for event in consumer.events])
            assert taken.resets == []
            assert handed_out == meanings(log[: len(handed_out)])
            if poll.fate == "whole" and poll.dies_after is None:
                assert taken.is_whole
                assert poll.back is not None or len(handed_out) == shown
    assert [event.index for event in consumer.events] == list(range(len(log)))


changes = st.one_of(
    st.tuples(st.just("append"), st.lists(entries, max_size=4)),
    st.tuples(st.sampled_from(["cut_end", "cut_front"]), st.integers(1, 12)),
    st.tuples(st.sampled_from(["rewrite", "insert"]), st.tuples(st.integers(0, 20), entries)),
    st.tuples(st.just("replace"), logs),
    st.tuples(st.sampled_from(["double", "undo", "undo", "lengthen"]), st.none()),
)


def changed(log: list[Any], change: tuple[str, Any], before: list[Any]) -> list[Any]:
    match change:
        case "undo", _:
            return before
        case "append", more:
            return [*log, *more]
        case "cut_end", count:
            return log[:-count]
        case "cut_front", count:
            return log[count:]
        case "rewrite", (place, entry):
            return [*log[:place], entry, *log[place + 1 :]]
        case "insert", (place, entry):
            return [*log[:place], entry, *log[place:]]
        case "replace", other:
            return list(other)
        case "lengthen", _:
            return [*log[:-1], 71] if log and log[-1] == 7 else log
        case _:
            return log + log[-4:]


@settings(max_examples=200)
@given(log=logs, course=courses_of(changes), slice_=sizes, keeps=kept)
def test_a_log_that_changes_in_any_way_is_read_to_its_end_and_every_change_of_what_was_read_is_told(
    log: list[Any], course: list[tuple[tuple[str, Any], Poll]], slice_: int, keeps: int
) -> None:
    consumer, before = Consumer(), log
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE", slice_)
        patch.setattr(reader_module, "KEPT", keeps)
        for change, poll in [*course, (("append", []), Poll()), (("append", []), Poll())]:
            log, before = changed(log, change, before), log
            held, now = meanings(consumer.held), meanings(log)
            taken = consumer.poll(poll, log)
            begins_with_it = now[: len(held)] == held
            recognized, start = (None, len(held)) if begins_with_it else resumption(held, now)
            told = [(reset.read, reset.recognized, reset.resumes_at) for reset in taken.resets]
            assert told in ([], [(len(held), recognized, start)])
            assert not (told and begins_with_it)
            assert told or begins_with_it or not (taken.values or taken.is_whole)
            assert meanings(taken.values) == now[start : start + len(taken.values)]
            if taken.is_whole:
                assert start + len(taken.values) == len(now)
    assert taken.is_whole
    assert meanings(consumer.held) == now
