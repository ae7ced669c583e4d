"""Watch several projects in one feed, of clients that each have a key of their own, under names of your own.

What goes wrong with one run or one project is an event of the feed, and ends nothing: here the key does not reach
the third project, and the other two are followed to their ends.
"""

from __future__ import annotations

import asyncio

from nexus_async import (
    Checkpoint,
    Client,
    Disconnected,
    Event,
    FixedInterval,
    FollowFailed,
    ProjectUnavailable,
    Reconnected,
    RunEnded,
    watch,
)
from nexus_async.local import CurveTrainer, LocalNexus


def tell(event: Event) -> None:
    """Print what is worth a line."""
    match event:
        case Checkpoint(label=label, run_id=run_id, step=step):
            print(f"{label}: {run_id[:12]} step {step}")
        case RunEnded(label=label, run_id=run_id, outcome=outcome):
            print(f"{label}: {run_id[:12]} {outcome}")
        case FollowFailed(label=label, run_id=run_id, error=error, fatal=fatal):
            print(f"{label}: {run_id[:12]} {'is given up' if fatal else 'is tried on'}: {error}")
        case ProjectUnavailable(label=label, error=error):
            print(f"{label}: followed no more: {error}")
        case Disconnected(project_ids=project_ids, error=error):
            print(f"no answer for {len(project_ids)} projects: {error}")
        case Reconnected(project_ids=project_ids, seconds=seconds):
            print(f"{len(project_ids)} projects answer again after {seconds:.0f} s")


async def main() -> None:
    trainer = CurveTrainer(steps=5, interval=10, speed=50)
    async with (
        LocalNexus(trainer) as here,
        LocalNexus(trainer, seed=1) as there,
        Client(here.secret_key, endpoint=here.url, requests_per_second=50) as client,
        Client(there.secret_key, endpoint=there.url, requests_per_second=50) as other_client,
    ):
        here.start_run()
        there.start_run()
        projects = {
            "line 1": client.get_project(here.project_id),
            "line 2": other_client.get_project(there.project_id),
            "line 3": other_client.get_project("proj_of_somebody_else"),
        }
        async with watch(
            projects,
            stop_when_all_ended=True,
            pacing=FixedInterval(0.3),  # the runs here last seconds: leave these out for real ones
            discovery_interval=0.5,
            settle=0.3,
        ) as feed:
            async for event in feed:
                tell(event)
        print("every run is over")


if __name__ == "__main__":
    asyncio.run(main())
