"""A log as bytes."""

from __future__ import annotations

import asyncio

import msgspec
from local_api import serving, virtual

from nexus_async.local.log import RunLog


def _log(count: int) -> RunLog:
    log = RunLog("runlog_x")
    for number in range(count):
        log.append(b'{"ev":"e","t":%d}' % number)
    return log


def test_the_body_is_the_answer_and_its_size_is_known() -> None:
    log = _log(3)
    assert msgspec.json.decode(log.body())["logs"][2] == {"ev": "e", "t": 2}
    assert len(log.body()) == log.size
    assert log.entries == 3


def test_slices_join_to_the_body() -> None:
    log = _log(100)
    assert b"".join(log.slices(7)) == log.body()


def test_slices_are_of_the_moment_they_were_asked_for() -> None:
    log = _log(10)
    before = log.body()
    slices = log.slices(16)
    first = next(slices)
    log.append(b"{}")
    assert first + b"".join(slices) == before


@virtual
async def test_a_large_log_is_whole_though_it_grows_while_it_is_read() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        for step in range(10_000):
            run.checkpoint(step, totalLoss=1.0)
        reading = asyncio.create_task(api("GET", f"runs/logs/{run.log_ids[0]}"))
        while not reading.done():
            run.checkpoint(10_000, totalLoss=1.0)
            await asyncio.sleep(0)
        answer = await reading
        steps = [entry["pl"]["step"] for entry in answer.data["logs"]]
        assert steps[:10_000] == list(range(10_000))
        assert int(answer.headers["Content-Length"]) > 1_000_000
