"""A stream through failures, cancelled waits and restarts: each checkpoint once, in order, to the run's end."""

from __future__ import annotations

import asyncio
import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import given, settings, strategies as st
from scripted_source import LOG, ScriptedSource, steps_of, stream_of

from nexus_async import (
    ConnectionLostError,
    InvalidAnswerError,
    OutageError,
    RateLimitedError,
    RequestError,
    ServerError,
)
from nexus_async.events import read_checkpoint
from nexus_async.logs import reader, slices
from nexus_async.testing import run_in_virtual_time

if TYPE_CHECKING:
    from nexus_async import Checkpoint, LogStream

OTHER_LOG: Final = "runlog_b"
LATE: Final = (1.0, 2.5)
"""Seconds after a run's end at which its last lines are written: each sooner than a log is taken for settled."""

values = st.sampled_from([None, 0.5, 1, "NaN", float("nan"), "Infinity", "\ud800", "}, {", '"logs":['])
entries: st.SearchStrategy[Any] = st.builds(
    lambda t, step, loss: {"ev": "trainingCheckpoint", "t": t, "pl": {"step": step, "totalLoss": loss}},
    st.integers(0, 2),
    st.integers(0, 3),
    values,
) | st.sampled_from([{"ev": "trainingCheckpoint", "t": 1}, {"ev": "unheardOf", "pl": {"step": 1}}, 7, "\ud800"])
logs = st.fixed_dictionaries({LOG: st.lists(entries, max_size=16), OTHER_LOG: st.lists(entries, max_size=5)})


@dataclass(frozen=True)
class Turn:
    """Say what has been written when a request comes, and what befalls its answer."""

    grown: tuple[str, int] = (LOG, 0)
    failure: RequestError | None = None
    lost_after: int | None = None
    """Chunks of the body that arrive before the connection breaks."""
    broken_at: float | None = None
    """Where in the body of a log something else goes on."""
    is_spaced: bool = False


def lost() -> RequestError:
    return ConnectionLostError("the connection broke", method="GET", path="/x")


failures: st.SearchStrategy[RequestError] = st.one_of(
    st.builds(
        lambda after: RateLimitedError(method="GET", path="/x", status=429, retry_after=after),
        st.sampled_from([None, 0.0, 3.0, 70.0]),
    ),
    st.builds(lambda: ServerError(method="GET", path="/x", status=503)),
    st.builds(lost),
    st.builds(lambda: InvalidAnswerError("no JSON", method="GET", path="/x")),
)


@st.composite
def scripts(draw: st.DrawFn) -> list[Turn]:
    """Draw what befalls one request after the other. Few things go wrong at once, and often none."""
    some = st.sampled_from
    wrong = draw(some(["nothing", "requests", "bodies", "all"]))
    turns = st.builds(
        Turn,
        grown=st.tuples(some([LOG, LOG, OTHER_LOG]), st.integers(0, 6)),
        failure=st.none() | failures if wrong in {"requests", "all"} else st.none(),
        lost_after=st.none() | st.integers(0, 8) if wrong in {"bodies", "all"} else st.none(),
        broken_at=st.none() | st.floats(0, 1) if wrong in {"bodies", "all"} else st.none(),
        is_spaced=st.booleans(),
    )
    return draw(st.lists(turns, max_size=30))


class FailingSource(ScriptedSource):
    """Take a turn at each request. After the last, the run is over, and what was held back is written."""

    def __init__(self, whole: dict[str, list[Any]], script: list[Turn]) -> None:
        super().__init__()
        self.whole = whole
        self.turn = Turn()
        self.body = self._body
        self._script = iter(script)

    async def _answer(self, what: str) -> None:
        turn = next(self._script, None)
        if turn is None and self.status == "Running":
            self.end()
            held_back = len(self.whole[LOG]) - len(self.logs[LOG])
            loop = asyncio.get_running_loop()
            loop.call_later(LATE[0], self._show, max(0, held_back - 1))
            if held_back:
                loop.call_later(LATE[held_back > 1], self._show, 1)
        self.turn = turn or Turn()
        self._grow(*self.turn.grown)
        self.failure = self.turn.failure
        await super()._answer(what)

    async def read_log(self, log_id: str, sink: Any, **options: Any) -> None:
        breaking: Any = BreakingOff(sink, self)
        await super().read_log(log_id, breaking, **options)
        if self.turn.lost_after is not None:
            raise lost()

    def _grow(self, log_id: str, count: int) -> None:
        if count and self.status == "Running":
            shown = len(self.logs.get(log_id, []))
            self.logs[log_id] = self.whole[log_id][: shown + count]

    def _show(self, count: int) -> None:
        shown = len(self.logs[LOG])
        self.logs = {**self.whole, LOG: self.whole[LOG][: shown + count]}

    def _body(self, log: list[Any]) -> bytes:
        body = json.dumps({"id": LOG, "logs": log}, indent=1 if self.turn.is_spaced else None).encode()
        at = self.turn.broken_at
        return body if at is None else body[: int(at * len(body))] + b"<html>"


class BreakingOff:
    """Hand a body on until the connection breaks."""

    def __init__(self, sink: Any, source: FailingSource) -> None:
        self._sink = sink
        self._source = source
        self._arrived = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sink, name)

    def feed(self, chunk: bytes) -> Any:
        if self._arrived == self._source.turn.lost_after:
            raise lost()
        self._arrived += 1
        return self._sink.feed(chunk)


@dataclass(frozen=True)
class Move:
    """Say what the consumer does: take some checkpoints, with little patience or much, and perhaps start anew."""

    takes: int | None = None
    """None to take all."""
    patience: float | None = None
    back: int | None = None
    """Checkpoints before the last to start anew behind; 0 is from the stream's own cursor, None goes on."""


moves = st.builds(
    Move,
    takes=st.sampled_from([None, 0, 1, 1, 2, 3]),
    patience=st.sampled_from([None, None, 0.005, 0.015, 0.025, 3.0]),
    back=st.sampled_from([None, None, 0, 0, 1, 2, 6]),
)


@dataclass
class Follower:
    """Follow a run, start anew again and again, and keep what was handed out as one who stores each cursor."""

    source: FailingSource
    has_ended: bool = False

    def __post_init__(self) -> None:
        self.seen: list[Checkpoint] = []
        self.ids: dict[tuple[str, int], str] = {}
        self.stream = self._stream_from(None)

    def _stream_from(self, cursor: str | None) -> LogStream:
        return stream_of(self.source, cursor=cursor, max_outage=60.0)

    async def make(self, move: Move) -> None:
        try:
            for _ in itertools.count() if move.takes is None else range(move.takes):
                self._note(await asyncio.wait_for(anext(self.stream), move.patience))
        except StopAsyncIteration:
            self.has_ended = True
        except TimeoutError:
            pass  # the stream goes on
        except OutageError as error:
            self.stream = self._stream_from(error.cursor)
        assert self.stream.resets == ()
        if move.back is not None:
            self._start_anew(move.back)

    def _note(self, checkpoint: Checkpoint) -> None:
        assert self.ids.setdefault((checkpoint.log_id, checkpoint.index), checkpoint.id) == checkpoint.id
        self.seen.append(checkpoint)

    def _start_anew(self, back: int) -> None:
        if back == 0:
            self.stream = self._stream_from(self.stream.cursor)
            return
        del self.seen[max(0, len(self.seen) - back + 1) :]
        self.stream = self._stream_from(self.seen[-1].cursor if self.seen else None)
        self.has_ended = False


def told(index: int, step: int, metrics: dict[str, float]) -> tuple[int, int, str]:
    return index, step, json.dumps(metrics, sort_keys=True)  # NaN is not equal to itself


def expected(log: list[Any]) -> list[tuple[int, int, str]]:
    read = ((index, read_checkpoint(entry)) for index, entry in enumerate(log))
    return [told(index, checkpoint[0], checkpoint[2]) for index, checkpoint in read if checkpoint is not None]


async def followed(source: FailingSource, course: list[Move]) -> dict[str, list[tuple[int, int, str]]]:
    """Return what was handed out of each log, in order."""
    follower = Follower(source)
    for move in course:
        await follower.make(move)
    while not follower.has_ended:
        await follower.make(Move())
    asked = len(source.asked)
    assert await steps_of(stream_of(source, cursor=follower.stream.cursor)) == []
    assert len(source.asked) == asked
    return {
        log_id: [told(c.index, c.step, c.metrics) for c in follower.seen if c.log_id == log_id]
        for log_id in source.whole
    }


@settings(max_examples=400)
@given(
    whole=logs,
    script=scripts(),
    course=st.lists(moves, max_size=10),
    has_etags=st.booleans(),
    slice_=st.sampled_from([60, 300, 1 << 16]),
    keeps=st.sampled_from([100, 1 << 20]),
)
def test_each_checkpoint_is_handed_out_once_and_in_order_whatever_fails_and_wherever_one_starts_anew(
    *,
    whole: dict[str, list[Any]],
    script: list[Turn],
    course: list[Move],
    has_etags: bool,
    slice_: int,
    keeps: int,
) -> None:
    async def handed_out() -> dict[str, list[tuple[int, int, str]]]:
        source = FailingSource(whole, script)
        source.has_etags = has_etags
        return await followed(source, course)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "SLICE", slice_)
        patch.setattr(reader, "KEPT", keeps)
        assert run_in_virtual_time(handed_out) == {log_id: expected(log) for log_id, log in whole.items()}
