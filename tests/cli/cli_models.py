"""Models and events for what is tested without a server."""

from __future__ import annotations

from nexus_async import Checkpoint, Run, RunAdded
from nexus_async.models.run import RunAccelerator, RunExecution, RunLimit, RunStatus


def a_run(
    run_id: str = "run_1",
    *,
    status: str = "Running",
    flow_id: str = "f",
    create_date: int = 0,
    update_date: int = 0,
    limit: RunLimit | None = None,
    accelerator: RunAccelerator | None = None,
) -> Run:
    return Run(
        id=run_id,
        project_id="p",
        flow_id=flow_id,
        execution=RunExecution(limit=limit, accelerator=accelerator),
        status=RunStatus(overview=status, update_data=update_date),
        create_date=create_date,
        update_date=update_date,
    )


def an_added(run: Run) -> RunAdded:
    return RunAdded(project_id="p", run_id=run.id, id="i", cursor="c", run=run)


def a_checkpoint(step: int, run_id: str = "run_1", *, time: float | None = 100.0, **metrics: float) -> Checkpoint:
    return Checkpoint(
        project_id="p",
        run_id=run_id,
        id="i",
        cursor="c",
        log_id="l",
        index=0,
        time=time,
        step=step,
        metrics=metrics,
    )
