"""A dashboard that is told so many events a second, and the CPU that it takes; and pages that have it open."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from typing import TYPE_CHECKING

from aiohttp import web

from nexus_async import Checkpoint, Event, Hub, Run, RunAdded
from nexus_async.dashboard.guard import Guard
from nexus_async.dashboard.lookup import Lookup
from nexus_async.dashboard.routes import Routes
from nexus_async.dashboard.state import State
from nexus_async.models.run import RunExecution, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOKEN = "the-token-of-a-benchmark"
RUNS = 30
METRICS = ("totalLoss", "boxLoss", "classificationLoss", "distributedFocalLoss", "accuracy")


async def events(rate: float) -> AsyncIterator[Event]:
    """Tell of runs, and then of a checkpoint of one of them at a time, as a feed does."""
    for i in range(RUNS):
        run = Run(
            id=f"run_{i}", project_id="p", flow_id="f", execution=RunExecution(), create_date=0, update_date=0,
            status=RunStatus(overview="Running", update_data=0),
        )  # fmt: skip
        yield RunAdded(project_id="p", run_id=run.id, id=f"{run.id}:added", cursor="c" * 300, run=run)
    begun = time.monotonic()
    for count in itertools.count():
        await asyncio.sleep(max(0.0, begun + count / rate - time.monotonic()))
        run_id, step = f"run_{count % RUNS}", count // RUNS
        yield Checkpoint(
            project_id="p", run_id=run_id, id=f"{run_id}:{step}", cursor="c" * 300, log_id="l", index=step,
            time=time.time(), step=step, metrics=dict.fromkeys(METRICS, 0.5 + step % 7),
            message="Step 0, totalLoss: 6.4055E+01, boxLoss: 5.3928E+00",
        )  # fmt: skip


async def main() -> None:
    asked = json.loads(sys.stdin.readline())
    async with Hub(events(asked["rate"])) as hub:
        state = State(hub, time.time)
        filling = asyncio.create_task(state.fill())
        app = Routes(Guard(TOKEN, "127.0.0.1"), Lookup([]), state, cookie="c", allow_kill=False).application()
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        print(json.dumps(f"http://127.0.0.1:{runner.addresses[0][1]}/events?token={TOKEN}"), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            cpu, wall, told = time.process_time(), time.monotonic(), hub.stats().events
            await asyncio.sleep(json.loads(line))
            wall = time.monotonic() - wall
            share = (time.process_time() - cpu) / wall
            answer = {
                "share": share,
                "rate": (hub.stats().events - told) / wall,
                "pages": hub.stats().subscribers - 1,
            }
            print(json.dumps(answer), flush=True)
        filling.cancel()
        await hub.aclose()
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
