"""The server that every side of `get_run` asks: a local Nexus in a process of its own, with one run."""

from __future__ import annotations

import asyncio
import json
import sys

from nexus_async.local import LocalNexus, ScriptedTrainer


async def serve() -> None:
    """Print where to ask, then serve until standard input ends."""
    async with LocalNexus(ScriptedTrainer()) as nexus:
        run = nexus.start_run()
        run.checkpoint(20, totalLoss=0.25)
        target = {
            "url": nexus.url,
            "secret_key": nexus.secret_key,
            "project_id": nexus.project_id,
            "run_id": run.id,
        }
        print(json.dumps(target), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
