"""A process that follows a run: `python stream_worker.py URL KEY PROJECT RUN [CURSOR]`.

It says each checkpoint as a line of JSON before it asks for the next, and at the run's end how that was.
"""

from __future__ import annotations

import asyncio
import json
import sys

from nexus_async import Client, FixedInterval


def say(line: dict[str, object]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


async def follow(url: str, key: str, project_id: str, run_id: str, cursor: str | None = None) -> None:
    # with this jitter a pause after a failure, half of which is jitter, is next to none
    async with Client(key, endpoint=url, requests_per_second=1e6, jitter=lambda half: 0.01 - half) as client:
        stream = client.get_project(project_id).runs.stream_logs(
            run_id, cursor=cursor, pacing=FixedInterval(0.02, jitter=0.0), settle=0.05
        )
        async for checkpoint in stream:
            say({"index": checkpoint.index, "step": checkpoint.step, "cursor": checkpoint.cursor})
            await asyncio.sleep(0.001)  # so that there is a time between two of a slice to be killed at
        assert stream.run is not None
        say({"status": stream.run.status.overview, "resets": len(stream.resets)})


if __name__ == "__main__":
    asyncio.run(follow(*sys.argv[1:]))
