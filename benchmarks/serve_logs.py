"""The server that every side of `poll` asks: a local Nexus in a process of its own, plain and behind gzip."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import accumulate
from random import Random

from benchmarks.gzip_front import gzip_front
from nexus_async.local import LocalNexus, LocalRun, ScriptedTrainer

LOGS = {"1000": 1_000, "10000": 10_000, "100000": 100_000, "growing": 10_000, "aside": 0}
"""Entries of each log at the beginning."""
INTERVAL = 600.0
"""Seconds between two entries, on average: longer than a benchmark, so that the next is always to come."""


async def serve() -> None:
    """Print where to ask; then write one more entry to each log that standard input names, and echo its name."""
    async with LocalNexus(ScriptedTrainer(), max_log_bytes=200_000_000) as nexus, gzip_front(nexus.url) as front:
        runs = {name: run_with(nexus, size) for name, size in LOGS.items()}
        target = {
            "urls": {"identity": nexus.url, "gzip": front},
            "secret_key": nexus.secret_key,
            "project_id": nexus.project_id,
            "logs": {name: [run.id, run.log_ids[0]] for name, run in runs.items()},
        }
        print(json.dumps(target), flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            name = json.loads(line)
            write(runs[name], runs[name].steps_seen, time.time())
            print(json.dumps(name), flush=True)


def run_with(nexus: LocalNexus, size: int) -> LocalRun:
    """Start a run whose log has `size` entries, the last of them written now."""
    run, random = nexus.start_run(), Random(size)
    ages = list(accumulate(INTERVAL * random.uniform(0.5, 1.5) for _ in range(size)))
    for step, age in enumerate(reversed(ages)):
        write(run, step, time.time() - age + ages[0])
    return run


def write(run: LocalRun, step: int, at: float) -> None:
    """Write an entry of the reference's kind."""
    run.checkpoint(
        step,
        time=round(at * 1000),
        totalLoss=64.055 / (step + 1),
        boxLoss=5.3928 / (step + 1),
        classificationLoss=52.646 / (step + 1),
        distributedFocalLoss=6.0163 / (step + 1),
    )


if __name__ == "__main__":
    asyncio.run(serve())
