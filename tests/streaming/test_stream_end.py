"""How a stream ends: by the run's end, after its logs are whole, or by an error."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
import pytest
from scripted_source import LOG, ScriptedSource, entry, now, steps_of, stream_of

from nexus_async import ConnectError, NotFoundError, OutageError, RateLimitedError, ServerError

if TYPE_CHECKING:
    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time


def refused() -> ConnectError:
    return ConnectError("refused", method="GET", path="/x")


async def ended_after(delay: float, source: ScriptedSource, status: str = "Finished") -> None:
    await asyncio.sleep(delay)
    source.end(status)


@pytest.mark.parametrize("status", ["Finished", "Errored", "Cancelled"])
async def test_a_stream_ends_with_its_run_whatever_the_outcome(status: str) -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    ending = asyncio.create_task(ended_after(12, source, status))
    stream = stream_of(source)
    assert await steps_of(stream) == [1]
    assert stream.run is not None
    assert stream.run.status.overview == status
    await ending


async def test_lines_written_after_the_end_are_delivered() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    source.end()
    stream = stream_of(source)
    await anext(stream)
    source.logs[LOG].append(entry(2))
    assert await steps_of(stream) == [2]


async def test_an_ended_run_is_settled_when_two_snapshots_so_far_apart_are_equal() -> None:
    source = ScriptedSource()
    source.end()
    await steps_of(stream_of(source, settle=7.0))
    assert source.polls() == [0.01, 7.01]


async def test_a_run_over_for_more_than_a_minute_needs_one_snapshot() -> None:
    source = ScriptedSource()
    source.end()
    source.status_since = now() - 61
    await steps_of(stream_of(source))
    assert source.polls() == [0.01]


async def test_the_status_is_asked_for_again_after_the_drain() -> None:
    source = ScriptedSource()
    source.end()
    await steps_of(stream_of(source))
    assert [what for _, what in source.asked] == ["run", LOG, "run", LOG, "run"]


async def test_a_log_that_goes_on_growing_is_given_up_after_the_drain_timeout() -> None:
    source = ScriptedSource()
    source.end()

    async def keep_writing() -> None:
        for step in range(1, 1000):
            source.logs[LOG].append(entry(step))
            await asyncio.sleep(1)

    writing = asyncio.create_task(keep_writing())
    seen = await steps_of(stream_of(source, drain_timeout=20.0))
    assert seen == list(range(1, len(seen) + 1))
    assert 20 <= asyncio.get_running_loop().time() < 21
    writing.cancel()


async def test_a_run_that_goes_back_to_running_is_followed_on() -> None:
    source = ScriptedSource()
    source.end()
    stream = stream_of(source)
    waiting = asyncio.create_task(steps_of(stream))
    await asyncio.sleep(1)
    source.status = "Running"
    await asyncio.sleep(600)
    source.logs[LOG].append(entry(1))
    await asyncio.sleep(10)
    source.end()
    assert await waiting == [1]


async def test_an_outage_is_ridden_out() -> None:
    source = ScriptedSource()
    source.failure = refused()
    waiting = asyncio.create_task(steps_of(stream_of(source)))
    await asyncio.sleep(290)
    source.failure = None
    source.logs[LOG].append(entry(1))
    source.end()
    assert await waiting == [1]


async def test_an_outage_that_lasts_too_long_raises_with_the_cursor() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1), entry(2)]
    stream = stream_of(source, max_outage=60.0)
    await anext(stream)
    await anext(stream)
    source.failure = refused()
    with pytest.raises(OutageError, match=r"no answer for 6\d s, last refused") as caught:
        await anext(stream)
    source.failure = None
    source.logs[LOG].append(entry(3))
    source.end()
    assert await steps_of(stream_of(source, cursor=caught.value.cursor)) == [3]


async def test_two_short_outages_do_not_add_up() -> None:
    source = ScriptedSource()
    waiting = asyncio.create_task(steps_of(stream_of(source, max_outage=60.0)))
    for _ in range(2):
        source.failure = refused()
        await asyncio.sleep(50)
        source.failure = None
        await asyncio.sleep(20)
    source.end()
    assert await waiting == []


async def test_what_will_not_pass_is_raised_at_once() -> None:
    source = ScriptedSource()
    source.failure = NotFoundError(method="GET", path="/x", status=404)
    stream = stream_of(source)
    with pytest.raises(NotFoundError):
        await anext(stream)
    assert len(source.asked) == 1
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_longer_pause_that_the_api_asks_for_is_kept() -> None:
    source = ScriptedSource()
    source.failure = RateLimitedError(method="GET", path="/x", status=429, retry_after=42.0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(stream_of(source)), 100)
    assert [round(when, 2) for when, _ in source.asked] == [0.0, 42.01, 84.02]


async def test_a_poll_is_a_single_attempt(
    local_nexus: LocalNexus, nexus_client: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = local_nexus.start_run()
    transport = nexus_client._requester._transport
    sent = []

    async def failing(request: object, *, within: float, **_: object) -> object:
        sent.append(within)
        raise ServerError(method="GET", path="/x", status=503)

    monkeypatch.setattr(transport, "send", failing)
    with pytest.raises(OutageError):
        await anext(project.runs.stream_logs(run.id, max_outage=0.001))
    assert len(sent) == 2


async def test_a_run_that_was_seen_to_end_is_drained_whatever_the_servers_clock_says() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    stream = stream_of(source)
    await anext(stream)
    source.end()
    source.status_since -= 3600
    asyncio.get_running_loop().call_later(6, source.logs[LOG].append, entry(2))
    assert await steps_of(stream) == [2]


async def test_a_pause_longer_than_the_outage_allows_is_cut_to_it() -> None:
    source = ScriptedSource()
    source.failure = RateLimitedError(method="GET", path="/x", status=429, retry_after=3600.0)
    with pytest.raises(OutageError, match="no answer for 60 s"):
        await anext(stream_of(source, max_outage=60.0))
    assert asyncio.get_running_loop().time() < 61


async def test_a_log_that_is_written_in_other_bytes_each_time_is_settled_all_the_same() -> None:
    source = ScriptedSource()
    source.logs[LOG] = [entry(1)]
    spaces = iter(range(1, 100))
    source.body = lambda entries: (
        b'{"id":"x","logs":[' + b" " * next(spaces) + msgspec.json.encode(entries[0]) + b"]}"
    )
    source.end()
    await steps_of(stream_of(source))
    assert source.polls() == [0.01, 2.01]
