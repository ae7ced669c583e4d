"""First polls of many long logs at once: what is read and not handed out yet stays bounded."""

from __future__ import annotations

import asyncio
import tracemalloc
from typing import TYPE_CHECKING

import msgspec
import pytest
from scripted_source import ScriptedSource, now

from nexus_async import Checkpoint, FixedInterval, LogEntry, Run
from nexus_async.config import MAX_BUFFERED_BYTES
from nexus_async.http.waiting import Kind
from nexus_async.resources.feeds import feed_over
from nexus_async.streaming import Shared, Watchable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

pytestmark = pytest.mark.virtual_time
RUNS = 32
ENTRIES = 29
MEGABYTE = 1_000_000
ENTRY = b'{"ev":"long","pl":"' + b"x" * (MEGABYTE - 21) + b'"}'


class LongLogs(ScriptedSource):
    """Answer for runs whose logs are of 29 MB each, a megabyte at a time."""

    def __init__(self, *, tells_length: bool = True) -> None:
        super().__init__()
        self.tells_length = tells_length
        self.ids = [f"run_{number:02}" for number in range(RUNS)]

    async def list_runs(self, *, turn: Turn | None = None) -> list[Run]:
        run = await self.get_run("run", turn=turn)
        return [
            msgspec.structs.replace(run, id=run_id, log_ids=[run_id.replace("run_", "runlog_")])
            for run_id in self.ids
        ]

    async def read_log(self, log_id: str, sink: Sink, *, turn: Turn | None = None) -> None:
        turn = turn or await self.throttle.turn(Kind.LOG)
        try:
            length = sum(map(len, self.chunks(log_id)))
            sink.begin(etag=None, coding="identity", left_out=False, length=length if self.tells_length else None)
            for chunk in self.chunks(log_id):
                await asyncio.sleep(0.01)
                sink.feed(chunk)
        finally:
            turn.end()

    def chunks(self, log_id: str) -> Iterator[bytes]:
        yield b'{"id":"%s","logs":[' % log_id.encode()
        for number in range(ENTRIES):
            yield (b"," if number else b"") + ENTRY
        yield b"]}"


async def watched(source: LongLogs) -> tuple[int, Shared]:
    """Watch all of them until each entry was handed out, and return how many there were."""
    shared, seen = Shared(now, jitter=lambda pause: pause), 0
    pacing = FixedInterval(1e6, jitter=0.0)
    async with feed_over([Watchable(source, shared)], pacing=pacing, buffer=2) as feed:
        async for event in feed:
            seen += isinstance(event, (Checkpoint, LogEntry))
            if seen == RUNS * ENTRIES:
                break
    return seen, shared


@pytest.mark.parametrize("tells_length", [True, False])
async def test_first_polls_of_29_mb_stay_under_the_bound_of_a_client(tells_length: bool) -> None:
    seen, shared = await watched(LongLogs(tells_length=tells_length))
    assert seen == RUNS * ENTRIES
    assert shared.room.most <= MAX_BUFFERED_BYTES


async def test_the_bound_is_of_what_is_really_held() -> None:
    tracemalloc.start()
    try:
        await watched(LongLogs())
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # a body is put together once, beside its pieces, and the entries that are handed out are long themselves
    assert most <= MAX_BUFFERED_BYTES + 2 * ENTRIES * MEGABYTE
