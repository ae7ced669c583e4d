"""The server that every side of `poll` asks: a local Nexus in a process of its own, with logs of three sizes."""

from __future__ import annotations

import asyncio
import json
import sys

from nexus_async.local import LocalNexus, LocalRun, ScriptedTrainer

SIZES = (1_000, 10_000, 100_000)


async def serve() -> None:
    """Print where to ask; for each line on standard input, write one more entry to every log and echo it."""
    async with LocalNexus(ScriptedTrainer(), max_log_bytes=200_000_000) as nexus:
        runs = {size: run_with(nexus, size) for size in SIZES}
        target = {
            "url": nexus.url,
            "secret_key": nexus.secret_key,
            "project_id": nexus.project_id,
            "logs": {str(size): run.log_ids[0] for size, run in runs.items()},
        }
        print(json.dumps(target), flush=True)
        await asyncio.to_thread(sys.stdin.read)


def run_with(nexus: LocalNexus, size: int) -> LocalRun:
    """Start a run whose log has `size` entries of the reference's kind."""
    run = nexus.start_run()
    for step in range(size):
        run.checkpoint(
            step,
            totalLoss=64.055 / (step + 1),
            boxLoss=5.3928 / (step + 1),
            classificationLoss=52.646 / (step + 1),
            distributedFocalLoss=6.0163 / (step + 1),
        )
    return run


if __name__ == "__main__":
    asyncio.run(serve())
