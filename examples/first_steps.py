"""First steps: find a workflow, start a run, follow it, and look at its confusion matrix.

It runs against a local Nexus, on this machine alone. Against Nexus itself, leave `LocalNexus` out and write
`Client()`: the secret key comes from `DATATURE_SECRET_KEY` then.
"""

from __future__ import annotations

import asyncio

from nexus_async import Client, FixedInterval, RunSetup
from nexus_async.local import CurveTrainer, LocalNexus

SETUP = {
    "accelerator": {"name": "GPU_T4", "count": 1},
    "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 5},
    "limit": {"metric": "LIM_EPOCHS", "value": 15},
    "advanced_evaluation": True,
}


async def main() -> None:
    async with (
        LocalNexus(CurveTrainer(steps=20, interval=10, speed=100)) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url) as client,
    ):
        workspace = await client.get_info()
        print(f"{workspace.name}, tier {workspace.tier}")

        project = (await client.list_projects())[-1]
        for flow in await project.workflows.list():
            print(f"  {flow.id}  {flow.title}")

        run = await project.runs.start(flow.id, RunSetup.parse(SETUP))
        print(f"started {run.id} at {run.created_at:%H:%M:%S}: {run.status.overview}")

        async for checkpoint in project.runs.stream_logs(run.id, pacing=FixedInterval(0.2), settle=0.2):
            print(f"  step {checkpoint.step:>3}  total loss {checkpoint.metrics['totalLoss']:.3f}")

        run = await project.runs.get(run.id)
        print(f"{run.status.overview}: {run.status.message}")

        matrix = (await project.runs.get_confusion_matrix(run.id)).latest
        for name, recall in matrix.recall.items():
            print(f"  {name:<12} recall {recall:.2f}  precision {matrix.precision[name]:.2f}")


if __name__ == "__main__":
    asyncio.run(main())
