"""Each checkpoint once, in order, to the run's end."""

from __future__ import annotations

import asyncio

import pytest
from scripted_source import LOG, ScriptedSource, entry, steps_of, stream_of

from nexus_async import Adaptive, Checkpoint, FixedInterval, LogResetWarning

pytestmark = pytest.mark.virtual_time


async def test_old_checkpoints_come_first_and_new_ones_follow() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1, totalLoss=0.5), entry(2)]
    stream = stream_of(source)
    first = await anext(stream)
    assert (first.step, first.metrics, first.index) == (1, {"totalLoss": 0.5}, 0)
    assert (await anext(stream)).step == 2
    source.logs[LOG].append(entry(3))
    assert (await anext(stream)).step == 3
    source.end()
    assert await steps_of(stream) == []


async def test_entries_that_are_no_checkpoints_are_passed_over() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [{"ev": "trainingStarted", "t": 1}, entry(1), {"ev": "trainingCheckpoint"}, 7, entry(2)]
    source.end()
    assert [(c.step, c.index) async for c in stream_of(source)] == [(1, 1), (2, 4)]


async def test_every_log_of_a_run_is_read_and_one_that_appears_later_too() -> None:
    source = ScriptedSource()
    source.logs = {LOG: [entry(1)], "runlog_b": [entry(2)]}
    stream = stream_of(source)
    assert [(await anext(stream)).log_id, (await anext(stream)).log_id] == [LOG, "runlog_b"]
    source.logs["runlog_c"] = [entry(3)]
    assert (await anext(stream)).log_id == "runlog_c"


async def test_a_run_that_is_being_created_and_has_no_log_yet_is_waited_for() -> None:
    source = ScriptedSource()
    source.status, source.logs = "Creating", {}
    stream = stream_of(source)
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(3600)
    source.logs[LOG] = [entry(1)]
    assert (await waiting).step == 1


async def test_polls_are_as_far_apart_as_the_pacing_says() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source, pacing=FixedInterval(30.0, jitter=0.0))
    await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 100)
    assert source.polls() == [0.01, 30.01, 60.01, 90.01]


async def test_a_log_whose_bytes_did_not_change_is_not_decoded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source)
    await anext(stream)
    monkeypatch.setattr("nexus_async.logs.slices.entry_of", None)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 60)


async def test_a_log_that_was_cut_at_the_front_is_a_reset_and_nothing_is_read_twice() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(step) for step in range(1, 6)]
    stream = stream_of(source)
    for _ in range(5):
        await anext(stream)
    source.logs[LOG] = [entry(4), entry(5), entry(6)]
    with pytest.warns(LogResetWarning, match="after 5 entries were read"):
        checkpoint = await anext(stream)
    assert (checkpoint.step, checkpoint.index) == (6, 5)
    assert [(r.read, r.recognized, r.resumes_at) for r in stream.resets] == [(5, 2, 2)]


async def test_a_log_that_was_replaced_is_a_reset_and_read_from_its_first_entry() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1, totalLoss=0.5)]
    stream = stream_of(source)
    first = await anext(stream)
    source.logs[LOG] = [entry(1, totalLoss=0.7), entry(2)]
    with pytest.warns(LogResetWarning):
        again = await anext(stream)
    assert (again.step, again.metrics) == (1, {"totalLoss": 0.7})
    assert again.id != first.id


async def test_other_bytes_of_the_same_meaning_are_no_reset() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1, totalLoss=0.5)]
    stream = stream_of(source)
    await anext(stream)
    same = (
        b'{ "logs" : [ {"pl": {"totalLoss": 0.50, "step": 1}, "t": 1705466384797, "ev": "trainingCheckpoint"} ] }'
    )
    source.body = lambda _: same
    source.end()
    assert await steps_of(stream) == []
    assert stream.resets == ()


async def test_a_bare_nan_survives() -> None:
    source = ScriptedSource()
    source.body = lambda _: (
        b'{"logs": [{"ev": "trainingCheckpoint", "t": 1, "pl": {"step": 1, "totalLoss": NaN}}]}'
    )
    source.end()
    [checkpoint] = [c async for c in stream_of(source)]
    assert str(checkpoint.metrics) == "{'totalLoss': nan}"


async def test_resuming_from_any_checkpoints_cursor_gives_exactly_the_rest() -> None:
    source = ScriptedSource()
    source.logs = {LOG: [entry(step) for step in range(1, 13)], "runlog_b": [entry(13), entry(14)]}
    source.end()
    whole = [c async for c in stream_of(source)]
    for i, checkpoint in enumerate(whole):
        rest = [c async for c in stream_of(source, cursor=checkpoint.cursor)]
        assert [c.id for c in rest] == [c.id for c in whole[i + 1 :]]


async def test_the_streams_own_cursor_follows_what_was_handed_out() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1), entry(2)]
    stream = stream_of(source)
    before = stream.cursor
    assert (await anext(stream)).cursor == stream.cursor
    source.end()
    assert await steps_of(stream_of(source, cursor=before)) == [1, 2]
    assert await steps_of(stream_of(source, cursor=stream.cursor)) == [2]


async def test_the_cursor_of_an_ended_stream_asks_for_nothing() -> None:
    source = ScriptedSource()
    source.end()
    stream = stream_of(source)
    assert await steps_of(stream) == []
    source.asked.clear()
    assert await steps_of(stream_of(source, cursor=stream.cursor)) == []
    assert source.asked == []


async def test_ten_streams_at_once_do_not_mix() -> None:
    sources = [ScriptedSource() for _ in range(10)]
    for i, source in enumerate(sources):
        source.logs[LOG] = [entry(i), entry(100 + i)]
        source.end()
    assert await asyncio.gather(*map(steps_of, map(stream_of, sources))) == [[i, 100 + i] for i in range(10)]


async def test_a_stream_yields_checkpoints_only() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    checkpoint: Checkpoint = await anext(stream_of(source))
    assert checkpoint.run_id.startswith("run_")
    assert checkpoint.project_id == source.project_id


async def test_a_log_that_did_not_change_need_not_be_sent() -> None:
    source = ScriptedSource()
    source.has_etags, source.logs[LOG] = True, [entry(1)]
    stream = stream_of(source)
    await anext(stream)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream), 12)
    first = f'"{len(source.body(source.logs[LOG]))}"'
    assert source.asked_with == [None, first, first]
    source.logs[LOG].append(entry(2))
    assert (await anext(stream)).step == 2


async def test_a_validator_that_lies_is_found_out_at_every_twentieth_poll() -> None:
    source = ScriptedSource()
    source.has_etags = source.etags_lie = True
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source)
    await anext(stream)
    source.logs[LOG].append(entry(2))
    assert (await anext(stream)).step == 2
    assert len(source.polls()) == 21


async def test_the_snapshots_of_an_ended_run_are_sent_whole() -> None:
    source = ScriptedSource()
    source.has_etags = source.etags_lie = True
    stream = stream_of(source)
    waiting = asyncio.create_task(steps_of(stream))
    await asyncio.sleep(7)
    source.end()
    source.logs[LOG].append(entry(1))
    asked = len(source.asked_with)
    assert await waiting == [1]
    assert source.asked_with[asked:] == [None, None]


async def test_a_long_log_that_was_rewritten_is_asked_for_again_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nexus_async.logs.reader.KEPT", 100)
    source = ScriptedSource()
    source.logs[LOG] = [entry(step) for step in range(1, 10)]
    stream = stream_of(source)
    for _ in range(9):
        await anext(stream)
    source.logs[LOG] = [entry(step) for step in range(5, 12)]
    with pytest.warns(LogResetWarning):
        assert [(await anext(stream)).step for _ in range(2)] == [10, 11]
    assert len(source.polls()) == 3


async def test_a_senseless_time_silences_nothing() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [{**entry(1), "t": 0}, {**entry(2), "t": 1e20}, {**entry(3), "t": -5}]
    stream = stream_of(source, pacing=Adaptive())
    for _ in range(3):
        await anext(stream)
    source.logs[LOG].append(entry(4))
    assert (await asyncio.wait_for(anext(stream), 301)).step == 4
