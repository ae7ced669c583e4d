"""A run that is followed over real sockets by one process after the other, each killed, through failures."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import pytest
from faulty_proxy import FAULTS, faulty

from nexus_async.local import LocalNexus, ScriptedTrainer

if TYPE_CHECKING:
    from asyncio.subprocess import Process

    from faulty_proxy import FaultyProxy

    from nexus_async.local import LocalRun

WORKER: Final = Path(__file__).with_name("stream_worker.py")
STEPS: Final = 300
LATE: Final = 3
"""Checkpoints that are written after the run's end was seen, one before each of the next snapshots."""
KILLS: Final = 5


@dataclass
class Training:
    """Write a few checkpoints whenever the log is asked for, then end, and be late with the last."""

    run: LocalRun
    random: Random
    may_end: bool = False
    asked_after_end: int = 0

    def passing(self, path: str) -> None:
        if "/logs/" not in path:
            return
        if not self.run.is_over:
            self._write(min(self.random.randrange(7), STEPS - LATE - self.run.steps_seen))
            if self.may_end and self.run.steps_seen == STEPS - LATE:
                self.run.finish()
            return
        self.asked_after_end += 1
        if 2 <= self.asked_after_end < 2 + LATE:
            self._write(1)

    def _write(self, count: int) -> None:
        for _ in range(count):
            step = self.run.steps_seen + 1
            self.run.checkpoint(step=step, totalLoss=float("nan") if step % 10 == 0 else 1 / step)


@dataclass
class Reader:
    """Read a run in one process after the other, each from the last cursor that was said."""

    proxy: FaultyProxy
    command: list[str]
    said: list[dict[str, Any]] = field(default_factory=list)

    async def read_until_killed(self, *, lines: int, requests: int) -> None:
        """Kill the process after so many lines of it, or so many requests, whichever comes first."""
        worker = await self._start()
        saying = asyncio.create_task(self._listen(worker))
        lines += len(self.said)
        requests += self.proxy.fates.total()
        while len(self.said) < lines and self.proxy.fates.total() < requests and not saying.done():  # noqa: ASYNC110 - either
            await asyncio.sleep(0.001)
        worker.kill()
        await saying
        assert await worker.wait() == -signal.SIGKILL

    async def read_to_the_end(self) -> dict[str, Any]:
        """Return what is said of the end."""
        worker = await self._start()
        await self._listen(worker)
        assert await worker.wait() == 0
        return self.said.pop()

    async def _start(self) -> Process:
        cursor = [self.said[-1]["cursor"]] if self.said else []
        return await asyncio.create_subprocess_exec(*self.command, *cursor, stdout=PIPE)

    async def _listen(self, worker: Process) -> None:
        assert worker.stdout is not None
        while (line := await worker.stdout.readline()).endswith(b"\n"):
            self.said.append(json.loads(line))


@pytest.mark.parametrize("seed", [1, 2])
async def test_processes_that_are_killed_deliver_a_log_once_and_in_order_between_them(seed: int) -> None:
    random = Random(seed)
    async with LocalNexus(ScriptedTrainer(), secret_key="k") as nexus:
        run = nexus.start_run()
        training = Training(run, Random(seed))
        async with faulty(nexus.url, Random(seed), training.passing) as proxy:
            command = [sys.executable, str(WORKER), proxy.url, "k", nexus.project_id, run.id]
            reader = Reader(proxy, command)
            for _ in range(KILLS):
                await reader.read_until_killed(lines=random.randrange(1, 50), requests=random.randrange(4, 40))
            training.may_end = True
            end = await reader.read_to_the_end()
    assert [(said["index"], said["step"]) for said in reader.said] == list(enumerate(range(1, STEPS + 1)))
    assert end == {"status": "Finished", "resets": 0}
    assert {*FAULTS, "passed"} <= {*proxy.fates}
