"""A service that follows every run of a project that is not over, each to its end.

What it was told so far it keeps by run as a cursor: started again with them, it goes on where it was.
"""

from __future__ import annotations

import asyncio

import anyio

from nexus_async import Client, FixedInterval, NexusError, Project
from nexus_async.local import CurveTrainer, LocalNexus


class Follower:
    """Follow runs, and remember how far each was told of."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.cursors: dict[str, str] = {}

    async def run(self) -> None:
        """Follow every run that is not over now, until the last of them is."""
        async with anyio.create_task_group() as group:
            for run in await self._project.runs.list():
                if not run.status.is_terminal:
                    group.start_soon(self._follow, run.id)

    async def _follow(self, run_id: str) -> None:
        stream = self._project.runs.stream_logs(
            run_id, cursor=self.cursors.get(run_id), pacing=FixedInterval(0.3), settle=0.3
        )
        try:
            async for checkpoint in stream:
                loss = checkpoint.metrics.get("totalLoss")
                print(f"{run_id[:12]}  step {checkpoint.step:>2}  total loss {loss:.3f}")
                self.cursors[run_id] = checkpoint.cursor
        except NexusError as error:  # one run's trouble is not the others'
            print(f"{run_id[:12]}  {error}")
        else:
            print(f"{run_id[:12]}  {stream.run.status.overview if stream.run else 'unknown'}")


async def main() -> None:
    async with (
        LocalNexus(CurveTrainer(steps=8, interval=10, speed=50)) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=50) as client,
    ):
        for _ in range(3):
            nexus.start_run()
        follower = Follower(client.get_project(nexus.project_id))
        await follower.run()
        print(f"{len(follower.cursors)} runs followed to their ends")


if __name__ == "__main__":
    asyncio.run(main())
