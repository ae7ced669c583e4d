"""A source of runs that does what a test says, and writes down what it was asked, and when."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from nexus_async import FixedInterval, LogStream, Run
from nexus_async.http.throttle import Throttle
from nexus_async.models.run import RunExecution, RunStatus
from nexus_async.streaming import Shared, Window

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from nexus_async import Pacing
    from nexus_async.http.throttle import Turn
    from nexus_async.http.transport import Sink

T = TypeVar("T")
RUN = "run_610ba26c-6fbb-42eb-b838-839c61b68b26"
LOG = "runlog_UjYxMGJhMjZjLTZmYmItNDJlYi1iODM4LTgzOWM2MWI2OGIyNg"
EPOCH = 1_705_466_384.0


def entry(step: int, **metrics: object) -> dict[str, Any]:
    return {"ev": "trainingCheckpoint", "t": 1_705_466_384_796 + step, "pl": {"step": step, **metrics}}


class ScriptedSource:
    """Answer with `status` and `logs` as they stand; raise `failure` instead where there is one."""

    project_id = "proj_cd067221d5a6e4007ccbb4afb5966535"

    def __init__(self) -> None:
        self.throttle = Throttle(requests_per_second=1e6, bytes_per_second=1e12)
        self.status = "Running"
        self.status_since = EPOCH
        self.logs: dict[str, list[Any]] = {LOG: []}
        self.body: Callable[[list[Any]], bytes] = lambda entries: msgspec.json.encode(
            {"id": LOG, "logs": entries}
        )
        self.failure: Exception | None = None
        self.has_etags = self.etags_lie = False
        self.asked_with: list[str | None] = []
        self.asked: list[tuple[float, str]] = []

    async def get_run(self, run_id: str, *, turn: Turn | None = None) -> Run:
        with turn or nullcontext():
            await self._answer("run")
        status = RunStatus(overview=self.status, update_data=int(self.status_since * 1000))
        return Run(
            id=run_id,
            project_id=self.project_id,
            flow_id="flow_1",
            execution=RunExecution(),
            status=status,
            create_date=0,
            update_date=0,
            log_ids=list(self.logs),
        )

    async def list_runs(self, *, turn: Turn | None = None) -> list[Run]:
        return [await self.get_run(RUN, turn=turn)]

    async def read_list(self, read: Callable[[bytes], T]) -> T:
        return read(msgspec.json.encode(await self.list_runs()))

    async def read_log(self, log_id: str, sink: Sink, *, turn: Turn | None = None) -> None:
        with turn or nullcontext():
            await self._answer(log_id)
        body = self.body(self.logs[log_id])
        etag = f'"{len(body)}"' if self.has_etags else None
        self.asked_with.append(sink.if_none_match)
        left_out = etag is not None and (sink.if_none_match == etag or self.etags_lie)
        left_out = left_out and sink.if_none_match is not None
        sink.begin(etag=etag, coding="identity", left_out=left_out, length=len(body))
        for start in range(0, 0 if left_out else len(body), 100):
            sink.feed(body[start : start + 100])

    async def _answer(self, what: str) -> None:
        self.asked.append((asyncio.get_running_loop().time(), what))
        await asyncio.sleep(0.01)
        if self.failure is not None:
            raise self.failure

    def end(self, status: str = "Finished") -> None:
        self.status = status
        self.status_since = now()

    def polls(self) -> list[float]:
        return [round(when, 2) for when, what in self.asked if what == LOG]


def now() -> float:
    """Return seconds since the Unix epoch, by the loop's clock."""
    return EPOCH + asyncio.get_running_loop().time()


def stream_of(
    source: ScriptedSource,
    run_or_log_id: str = RUN,
    *,
    cursor: str | None = None,
    since: float | datetime | None = None,
    tail: int | None = None,
    follow: bool = True,
    idle_timeout: float | None = None,
    timeout: float | None = None,
    pacing: Pacing | None = None,
    settle: float = 2.0,
    drain_timeout: float = 10.0,
    max_outage: float = 300.0,
) -> LogStream:
    return LogStream(
        source,
        run_or_log_id,
        cursor=cursor,
        window=Window(since=since, tail=tail),
        follow=follow,
        idle_timeout=idle_timeout,
        timeout=timeout,
        pacing=FixedInterval(5.0, jitter=0.0) if pacing is None else pacing,
        settle=settle,
        drain_timeout=drain_timeout,
        max_outage=max_outage,
        shared=Shared(now, jitter=lambda pause: pause),
    )


async def steps_of(stream: LogStream) -> list[int]:
    return [checkpoint.step async for checkpoint in stream]
