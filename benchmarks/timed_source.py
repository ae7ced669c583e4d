"""A project whose runs write at given times: a source for the engine itself, on any clock."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from typing import TYPE_CHECKING, TypeVar

import msgspec

from nexus_async import Run, Throttle
from nexus_async.http.waiting import Kind
from nexus_async.models.run import RunExecution, RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

T = TypeVar("T")
EPOCH = 1_705_466_384.0
"""Seconds since the Unix epoch at which the event times count from 0."""
METRICS = {"totalLoss": 64.055, "boxLoss": 5.3928, "classificationLoss": 52.646, "distributedFocalLoss": 6.0163}


class TimedSource:
    """Answer for runs that write an entry at each of their times, in seconds; nothing ever fails."""

    project_id = "proj_cd067221d5a6e4007ccbb4afb5966535"

    def __init__(self, runs: Sequence[Sequence[float]], throttle: Throttle) -> None:
        self.throttle = throttle
        self.polls = self.lists = 0
        self._times = {f"run_{number:08}": list(times) for number, times in enumerate(runs)}
        self._bodies = {run_id: bodies_of(run_id, times) for run_id, times in self._times.items()}

    def now(self) -> float:
        return EPOCH + asyncio.get_running_loop().time()

    async def get_run(self, run_id: str, *, turn: Turn | None = None) -> Run:
        await self._spend(turn, 600)
        return run_of(run_id)

    async def list_runs(self, *, turn: Turn | None = None) -> list[Run]:
        await self._spend(turn, 600 * len(self._times))
        return [run_of(run_id) for run_id in self._times]

    async def read_list(self, read: Callable[[bytes], T]) -> T:
        self.lists += 1
        body = msgspec.json.encode([run_of(run_id) for run_id in self._times])
        await self._spend(None, len(body))
        return read(body)

    async def read_log(self, log_id: str, sink: Sink, *, turn: Turn | None = None) -> None:
        self.polls += 1
        run_id = log_id.replace("runlog_", "run_")
        there = bisect_right(self._times[run_id], self.now() - EPOCH)
        text, ends = self._bodies[run_id]
        body = text[: ends[there]] + b"]}"
        await self._spend(turn, len(body))
        sink.begin(etag=None, coding="identity", left_out=False, length=len(body))
        sink.feed(body)

    async def _spend(self, turn: Turn | None, size: int) -> None:
        turn = turn or await self.throttle.turn(Kind.LOG)
        turn.received += size
        turn.end()


def run_of(run_id: str) -> Run:
    return Run(
        id=run_id,
        project_id=TimedSource.project_id,
        flow_id="flow_1",
        execution=RunExecution(),
        status=RunStatus(overview="Running", update_data=int(EPOCH * 1000)),
        create_date=0,
        update_date=0,
        log_ids=[run_id.replace("run_", "runlog_")],
    )


def bodies_of(run_id: str, times: Sequence[float]) -> tuple[bytes, list[int]]:
    """Return a whole body without its end, and where it ends by how many entries are there."""
    head = b'{"id":"%s","logs":[' % run_id.replace("run_", "runlog_").encode()
    parts, ends, size = [head], [len(head)], len(head)
    for step, time in enumerate(times):
        entry = {"ev": "trainingCheckpoint", "t": int((EPOCH + time) * 1000), "pl": {"step": step, **METRICS}}
        part = (b"," if step else b"") + msgspec.json.encode(entry)
        size += len(part)
        parts.append(part)
        ends.append(size)
    return b"".join(parts), ends
