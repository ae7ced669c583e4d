"""A service that follows every run of a project: those that are not over, and those that are started later.

How far each run was handled stands in a file. Started again with the same file, the service goes on where it
was: `resume.py` shows that. This one ends when no run is left; without `stop_when_all_ended` it would go on.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from nexus_async import (
    Checkpoint,
    Client,
    FixedInterval,
    FollowFailed,
    Project,
    RunAdded,
    RunEnded,
    StatusChanged,
)
from nexus_async.local import CurveTrainer, LocalNexus


async def follow(project: Project, path: Path) -> int:
    """Print what happens to the runs of a project, and return how many came to their end."""
    ended = 0
    async with project.runs.watch(
        store=path,
        stop_when_all_ended=True,
        pacing=FixedInterval(0.3),  # the runs here last seconds: leave these out for real ones
        discovery_interval=0.5,
        settle=0.3,
    ) as feed:
        async for event in feed:
            match event:
                case RunAdded(run=run):
                    print(f"{run.id[:12]}  is {run.status.overview}")
                case StatusChanged(run=run, previous=previous):
                    print(f"{run.id[:12]}  was {previous}, is {run.status.overview}")
                case Checkpoint(run_id=run_id, step=step, metrics=metrics):
                    print(f"{run_id[:12]}  step {step:>2}  total loss {metrics['totalLoss']:.3f}")
                case RunEnded(run=run, outcome=outcome):
                    print(f"{run.id[:12]}  {outcome}: {run.status.message or 'no message'}")
                    ended += 1
                case FollowFailed(run_id=run_id, error=error):  # one run's trouble is not the others'
                    print(f"{run_id[:12]}  {error}")
    return ended


async def main() -> None:
    with TemporaryDirectory() as directory:
        async with (
            LocalNexus(CurveTrainer(steps=8, interval=10, speed=50)) as nexus,
            Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=50) as client,
        ):
            for _ in range(3):
                nexus.start_run()
            ended = await follow(client.get_project(nexus.project_id), Path(directory) / "state.db")
            print(f"{ended} runs followed to their ends")


if __name__ == "__main__":
    asyncio.run(main())
