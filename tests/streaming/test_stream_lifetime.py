"""A stream is pull-driven: it can be cancelled, closed and left anywhere, and never harms the run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest
from scripted_source import LOG, ScriptedSource, entry, steps_of, stream_of

from nexus_async import ConfigurationError, FixedInterval, InvalidArgumentError, InvalidCursorError

if TYPE_CHECKING:
    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time


async def test_leaving_a_stream_leaves_no_task_and_asks_nothing_more() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    async for _ in stream_of(source):
        break
    asked = len(source.asked)
    await asyncio.sleep(3600)
    assert len(source.asked) == asked
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_cancelled_anext_loses_nothing_wherever_it_is_cancelled() -> None:
    for turns in range(60):
        source = ScriptedSource()
        source.logs = {LOG: [entry(1), entry(2)], "runlog_b": [entry(3)]}
        source.end()
        stream = stream_of(source)
        waiting = asyncio.create_task(anext(stream))
        for _ in range(turns):
            await asyncio.sleep(0.001 if turns % 2 else 0)
        waiting.cancel()
        [first] = await asyncio.gather(waiting, return_exceptions=True)
        seen = [] if isinstance(first, BaseException) else [first.step]
        assert seen + await steps_of(stream) == [1, 2, 3]


async def test_wait_for_may_time_out_again_and_again() -> None:
    source = ScriptedSource()
    stream = stream_of(source)
    for _ in range(5):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 3)
    source.logs[LOG].append(entry(1))
    assert (await anext(stream)).step == 1


async def test_a_pool_of_one_connection_is_free_after_a_cancelled_poll(local_nexus: LocalNexus) -> None:
    from nexus_async.testing import client_for

    run = local_nexus.start_run()
    async with client_for(local_nexus, max_in_flight=1) as client:
        project = client.get_project(local_nexus.project_id)
        for turns in range(40):
            waiting = asyncio.create_task(anext(project.runs.stream_logs(run.id)))
            for _ in range(turns):
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            assert (await asyncio.wait_for(project.runs.get(run.id), 1)).id == run.id


async def test_closing_from_another_task_ends_an_anext_that_waits() -> None:
    source = ScriptedSource()
    stream = stream_of(source)
    waiting = asyncio.create_task(steps_of(stream))
    await asyncio.sleep(7)
    await stream.aclose()
    assert waiting.done() or await waiting == []
    asked = len(source.asked)
    await asyncio.sleep(3600)
    assert len(source.asked) == asked
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_closing_returns_only_when_the_anext_under_way_has_ended() -> None:
    source = ScriptedSource()
    stream = stream_of(source)
    waiting = asyncio.create_task(steps_of(stream))
    await asyncio.sleep(0.005)  # the first request is under way
    await stream.aclose()
    assert stream._scope is None
    assert await waiting == []


async def test_a_stream_that_was_never_started_can_be_closed_twice() -> None:
    stream = stream_of(ScriptedSource())
    await stream.aclose()
    await stream.aclose()
    assert await steps_of(stream) == []


async def test_two_anexts_at_once_are_refused() -> None:
    stream = stream_of(ScriptedSource())
    waiting = asyncio.create_task(anext(stream))
    await asyncio.sleep(1)
    with pytest.raises(RuntimeError, match="already waiting"):
        await anext(stream)
    waiting.cancel()


async def test_it_is_an_asynchronous_generator() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source)
    assert isinstance(stream, AsyncGenerator)
    assert (await stream.asend(None)).step == 1
    with pytest.raises(TypeError, match="nothing can be sent"):
        await stream.asend(7)  # type: ignore[arg-type]  # what the test is about
    with pytest.raises(ZeroDivisionError):
        await stream.athrow(ZeroDivisionError())
    assert await steps_of(stream) == []


async def test_cancelling_a_stream_never_kills_the_run(
    local_nexus: LocalNexus, nexus_client: Client, project: Project
) -> None:
    run = local_nexus.start_run()
    run.begin()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(steps_of(project.runs.stream_logs(run.id)), 60)
    assert (await project.runs.get(run.id)).status.overview == "Running"


async def test_a_killed_run_ends_its_stream(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.checkpoint(step=1, totalLoss="NaN")
    stream = project.runs.stream_logs(run.id)
    assert (await anext(stream)).step == 1
    await project.runs.kill(run.id)
    assert await steps_of(stream) == []
    assert stream.run is not None
    assert stream.run.status.overview == "Cancelled"


async def test_the_options_of_stream_logs_reach_the_stream(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.checkpoint(step=1)
    run.checkpoint(step=2)
    loop = asyncio.get_running_loop()
    first = await anext(project.runs.stream_logs(run.id))
    stream = project.runs.stream_logs(
        run.id, cursor=first.cursor, pacing=FixedInterval(900, jitter=0), settle=50, drain_timeout=70
    )
    assert (await anext(stream)).step == 2
    begin = loop.time()
    loop.call_later(890, run.finish)
    assert await steps_of(stream) == []
    assert 950 <= loop.time() - begin < 951


async def test_the_drain_timeout_of_stream_logs_reaches_the_stream(
    local_nexus: LocalNexus, project: Project
) -> None:
    run = local_nexus.start_run()
    run.finish()
    begin = asyncio.get_running_loop().time()
    await steps_of(project.runs.stream_logs(run.id, settle=50, drain_timeout=20))
    assert 20 <= asyncio.get_running_loop().time() - begin < 21


@pytest.mark.parametrize("option", ["settle", "drain_timeout", "max_outage", "idle_timeout", "timeout"])
async def test_a_time_that_is_none_is_refused(project: Project, option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option}=-1"):
        project.runs.stream_logs("run_1", **{option: -1})  # type: ignore[arg-type]  # mypy cannot tell which


@pytest.mark.parametrize("run_id", ["", " ", None, 7])
async def test_what_is_no_runs_id_is_refused(project: Project, run_id: str) -> None:
    with pytest.raises(InvalidArgumentError):
        project.runs.stream_logs(run_id)


async def test_the_cursor_of_another_run_is_refused(project: Project) -> None:
    cursor = project.runs.stream_logs("run_1").cursor
    with pytest.raises(InvalidCursorError, match="of run_1, not of run_2"):
        project.runs.stream_logs("run_2", cursor=cursor)
