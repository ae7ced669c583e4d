"""Where a stream begins, and how long it is waited on."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from scripted_source import LOG, RUN, ScriptedSource, entry, steps_of, stream_of

from nexus_async import ConfigurationError, InvalidArgumentError, StreamTimeoutError

if TYPE_CHECKING:
    from nexus_async import Project
    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time

FIFTH = 1_705_466_384.801  # the time of entry(5)


def finished(*steps: int) -> ScriptedSource:
    source = ScriptedSource()
    source.logs[LOG] = [entry(step) for step in steps]
    source.end()
    return source


@pytest.mark.parametrize("since", [FIFTH, datetime.fromtimestamp(FIFTH, UTC)])
async def test_since_leaves_out_what_is_older(since: float | datetime) -> None:
    assert await steps_of(stream_of(finished(*range(1, 9)), since=since)) == [5, 6, 7, 8]


async def test_since_keeps_what_has_no_time() -> None:
    source = finished()
    source.logs[LOG] = [{"ev": "trainingCheckpoint", "pl": {"step": 1}}]
    assert await steps_of(stream_of(source, since=FIFTH)) == [1]


@pytest.mark.parametrize(("tail", "steps"), [(0, []), (2, [7, 8]), (100, list(range(1, 9)))])
async def test_tail_keeps_the_last_of_what_is_there(tail: int, steps: list[int]) -> None:
    assert await steps_of(stream_of(finished(*range(1, 9)), tail=tail)) == steps


async def test_tail_lets_all_pass_that_comes_later() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1), entry(2)]
    stream = stream_of(source, tail=1)
    assert (await anext(stream)).step == 2
    source.logs[LOG] += [entry(3), entry(4)]
    source.end()
    assert await steps_of(stream) == [3, 4]


async def test_a_tail_that_is_held_back_is_not_lost_from_the_cursor() -> None:
    source = finished(1, 2, 3)
    stream = stream_of(source, tail=2)
    first = await anext(stream)
    assert await steps_of(stream_of(source, cursor=first.cursor)) == [3]
    assert await steps_of(stream_of(source, cursor=stream.cursor)) == [3]


async def test_without_following_a_stream_ends_with_what_is_there() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1), entry(2)]
    stream = stream_of(source, follow=False)
    assert await steps_of(stream) == [1, 2]
    assert [what for _, what in source.asked] == ["run", LOG]


async def test_a_stream_that_did_not_follow_can_be_resumed() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source, follow=False)
    await steps_of(stream)
    source.logs[LOG].append(entry(2))
    source.end()
    assert await steps_of(stream_of(source, cursor=stream.cursor)) == [2]


async def test_the_id_of_a_log_is_followed_alone_and_its_run_found_by_one_list() -> None:
    source = finished(1, 2)
    source.logs["runlog_b"] = [entry(3)]
    stream = stream_of(source, "runlog_b")
    assert await steps_of(stream) == [3]
    assert stream.run is not None
    assert stream.run.id == RUN


async def test_the_cursor_of_a_followed_log_resumes_it() -> None:
    source = finished(1, 2)
    first = await anext(stream_of(source, LOG))
    assert await steps_of(stream_of(source, LOG, cursor=first.cursor)) == [2]


async def test_a_log_that_no_run_has_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match=r"no run of proj_.* has the log runlog_none"):
        await anext(stream_of(finished(), "runlog_none"))


async def test_waiting_too_long_for_a_checkpoint_raises_with_status_and_cursor() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source, idle_timeout=60)
    await anext(stream)
    with pytest.raises(StreamTimeoutError, match="is Running: no checkpoint for 60 s") as caught:
        await anext(stream)
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=0.1)
    source.logs[LOG].append(entry(2))
    source.end()
    assert await steps_of(stream_of(source, cursor=caught.value.cursor)) == [2]


async def test_the_idle_time_stands_still_while_the_consumer_holds_a_checkpoint() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source, idle_timeout=60)
    await anext(stream)
    await asyncio.sleep(3600)
    source.logs[LOG].append(entry(2))
    assert (await anext(stream)).step == 2


async def test_the_idle_time_begins_anew_with_each_checkpoint_and_not_with_each_wait() -> None:
    source = ScriptedSource()
    stream = stream_of(source, idle_timeout=60)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 11)
    source.logs[LOG].append(entry(1))
    assert (await anext(stream)).step == 1
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 11)
    with pytest.raises(StreamTimeoutError):
        await asyncio.wait_for(anext(stream), 11)


async def test_a_run_that_is_not_over_in_time_raises_however_many_checkpoints_come() -> None:
    source = ScriptedSource()
    stream = stream_of(source, timeout=60, idle_timeout=50)
    loop = asyncio.get_running_loop()
    for step in range(10):
        loop.call_later(step * 10, source.logs[LOG].append, entry(step))
    with pytest.raises(StreamTimeoutError, match="not over after 60 s"):
        await steps_of(stream)
    assert loop.time() == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize("tail", [-1, 1.5, True, "1"])
async def test_what_is_no_count_is_no_tail(tail: int) -> None:
    with pytest.raises(ConfigurationError, match="tail="):
        stream_of(ScriptedSource(), tail=tail)


@pytest.mark.parametrize("since", [True, "yesterday", float("nan"), datetime(2024, 1, 17)])  # noqa: DTZ001 - refused
async def test_what_is_no_moment_is_refused(since: float) -> None:
    with pytest.raises(ConfigurationError, match="since="):
        stream_of(ScriptedSource(), since=since)


async def test_the_options_reach_the_stream(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    for step in range(1, 6):
        run.checkpoint(step=step, time=1000 * step)
    runs = project.runs
    assert await steps_of(runs.stream_logs(run.id, tail=1, follow=False)) == [5]
    assert await steps_of(runs.stream_logs(run.id, since=4.0, follow=False)) == [4, 5]
    assert await steps_of(runs.stream_logs(run.log_ids[0], follow=False)) == [1, 2, 3, 4, 5]
    for option in ("timeout", "idle_timeout"):
        with pytest.raises(StreamTimeoutError):
            await steps_of(runs.stream_logs(run.id, **{option: 30}))  # type: ignore[arg-type]  # mypy cannot tell which


async def test_a_cursor_goes_with_neither_since_nor_tail(project: Project) -> None:
    cursor = project.runs.stream_logs("run_1").cursor
    with pytest.raises(ConfigurationError, match="leave out since and tail"):
        project.runs.stream_logs("run_1", cursor=cursor, tail=1)
    with pytest.raises(ConfigurationError, match="leave out since and tail"):
        project.runs.stream_logs("run_1", cursor=cursor, since=1)
