"""Start a run, and kill it when it is not worth its money: its loss runs away, or hardly gets better."""

from __future__ import annotations

import asyncio
import math

from nexus_async import AcceleratorSetup, CheckpointSetup, Client, FixedInterval, Project, RunSetup
from nexus_async.local import CurveTrainer, LocalNexus

SETUP = RunSetup(
    accelerator=AcceleratorSetup(name="GPU_T4"),
    checkpoint=CheckpointSetup(strategy="STRAT_LOWEST_VALIDATION_LOSS", metric="Loss/total_loss"),
    advanced_evaluation=True,
)


def verdict(losses: list[float], *, patience: int = 10, gain: float = 0.25) -> str | None:
    """Tell why a training should end now, or None: a loss that is no number, or that hardly falls."""
    if not math.isfinite(losses[-1]):
        return "the loss is no number"
    if len(losses) > patience and losses[-1] > (1 - gain) * losses[-1 - patience]:
        return f"less than {gain:.0%} better than {patience} checkpoints ago"
    return None


async def start_and_watch(project: Project, flow_id: str) -> str:
    """Start a run, and return how it ended."""
    run = await project.runs.start(flow_id, SETUP)
    stream = project.runs.stream_logs(run.id, pacing=FixedInterval(0.2), settle=0.2)
    losses: list[float] = []
    async for checkpoint in stream:
        losses.append(checkpoint.metrics.get("totalLoss", math.nan))
        reason = verdict(losses)
        if reason is not None:
            killed = await project.runs.kill(run.id)
            await stream.aclose()
            return f"{killed.status.overview} at step {checkpoint.step}: {reason}"
    return f"finished with a loss of {losses[-1]:.3f}"


async def main() -> None:
    async with (
        LocalNexus(CurveTrainer(interval=10, speed=500)) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url) as client,
    ):
        project = client.get_project(nexus.project_id)
        flow = (await project.workflows.list())[0]
        print(f"{flow.title}: {await start_and_watch(project, flow.id)}")


if __name__ == "__main__":
    asyncio.run(main())
