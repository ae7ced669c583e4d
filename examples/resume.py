"""Stop watching in the middle, and go on later: each event is told once.

A store keeps how far each run was handled: here a file, which a second process could go on with just as well.
What happens while nobody watches is told afterwards, the end of a run too.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory

from nexus_async import Client, Event, FixedInterval, Project
from nexus_async.local import CurveTrainer, LocalNexus


async def told(project: Project, path: Path, *, stop_after: int | None = None) -> list[Event]:
    """Return what the runs of a project had to tell: `stop_after` events, or all until every run is over."""
    events: list[Event] = []
    async with project.runs.watch(
        store=path,
        stop_when_all_ended=True,
        pacing=FixedInterval(0.2),  # the runs here last seconds: leave these out for real ones
        discovery_interval=0.2,
        settle=0.2,
    ) as feed:
        async for event in feed:
            events.append(event)
            if len(events) == stop_after:
                break  # leaving `async with` without an error, the last event counts as handled
    return events


async def main() -> None:
    with TemporaryDirectory() as directory:
        path = Path(directory) / "state.db"
        async with (
            LocalNexus(CurveTrainer(steps=8, interval=10, speed=50)) as nexus,
            Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=50) as client,
        ):
            for _ in range(3):
                nexus.start_run()
            project = client.get_project(nexus.project_id)

            before = await told(project, path, stop_after=10)
            print(f"{len(before)} events, then nobody watches for a second")
            await asyncio.sleep(1)
            after = await told(project, path)
            print(f"{len(after)} events after it")

            ids = [event.id for event in before + after]
            kinds = [type(event).__name__ for event in before + after]
            print(f"{len(ids) - len(set(ids))} told twice; {kinds.count('Checkpoint')} checkpoints of 3 runs")
            print(f"{len(await told(project, path))} left for a third time")


if __name__ == "__main__":
    asyncio.run(main())
