"""A client, its calls and what they bring, as a user writes them."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, assert_type

import msgspec

from nexus_async import (
    AcceleratorSetup,
    Attempt,
    Call,
    CheckpointSetup,
    Client,
    ClientStats,
    ConfusionMatrix,
    DeleteResponse,
    LimitSetup,
    OutcomeUnknownError,
    Project,
    ProjectInfo,
    ProjectInsight,
    ProjectUpdate,
    ProjectUser,
    Run,
    RunConfusionMatrix,
    RunHistory,
    RunLogs,
    Runs,
    RunSetup,
    RunStatus,
    Throttle,
    Workflow,
    Workflows,
    WorkflowUpdate,
    Workspace,
    __version__,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


class Artifact(msgspec.Struct):
    id: str


def tell(attempt: Attempt) -> None:
    assert_type(attempt.status, int | None)
    assert_type(attempt.retry_in, float | None)
    assert_type(attempt.error, str | None)


@contextmanager
def follow(call: Call) -> Generator[Callable[[Attempt], None]]:
    assert_type(call.poll, bool)
    yield tell


async def use_a_client() -> None:
    throttle = Throttle(requests_per_second=5, max_in_flight=8, bytes_per_second=1e6)
    async with Client("5aa41e8ba........", throttle=throttle, on_attempt=tell, on_call=follow) as client:
        assert_type(client, Client)
        assert_type(await client.get_info(), Workspace)
        assert_type(await client.list_projects(), list[Project])
        assert_type(client.get_project("proj_b705a........"), Project)
        assert_type(client.stats(), ClientStats)
        assert_type(client.stats().requests_left, float)
        assert_type(client.throttle, Throttle)
    Client(timeout=30, attempts=5, on_attempt=print, on_call=None)
    Client(key_of_the_vault, proxy="")
    Client(lambda: "5aa41e8ba........")


async def key_of_the_vault() -> str:
    return "5aa41e8ba........"


async def ask_in_another_way(client: Client, project: Project, error: OutcomeUnknownError) -> None:
    assert_type(client.with_options(timeout=5, attempts=1), Client)
    assert_type(project.with_options(max_response_bytes=1_000_000), Project)
    assert_type(await project.runs.find_started(error), list[Run])


async def ask_for_what_has_no_method(client: Client, project: Project) -> None:
    assert_type(await project.request("GET", "/artifacts", type=list[Artifact]), list[Artifact])
    assert_type(await project.request("GET", "/artifacts"), Any)
    assert_type(await client.request("GET", "/workspace", type=Workspace), Workspace)
    await project.request("GET", "/x", params={"status": ["a", "b"], "all": True, "limit": 3, "after": None})
    await project.request("POST", "/search", json={"name": "x"}, repeatable=True)


async def use_a_project(project: Project) -> None:
    assert_type(project.runs, Runs)
    assert_type(project.workflows, Workflows)
    assert_type(project.info, ProjectInfo | None)
    assert_type(await project.get_info(), ProjectInfo)
    assert_type(await project.update({"name": "x"}), ProjectInfo)
    assert_type(await project.update(ProjectUpdate(name="x")), ProjectInfo)
    assert_type(await project.list_insights(), list[ProjectInsight])
    assert_type(await project.list_users(), list[ProjectUser])


async def use_workflows(workflows: Workflows) -> None:
    assert_type(await workflows.list(), list[Workflow])
    assert_type(await workflows.get("flow_1"), Workflow)
    assert_type(await workflows.update("flow_1", WorkflowUpdate(title="x")), Workflow)
    assert_type(await workflows.update("flow_1", {"title": "x"}), Workflow)
    assert_type(await workflows.delete("flow_1"), DeleteResponse)


async def use_runs(runs: Runs) -> None:
    setup = RunSetup(
        accelerator=AcceleratorSetup(name="GPU_T4"),
        checkpoint=CheckpointSetup(strategy="STRAT_ALWAYS_SAVE_LATEST"),
        limit=LimitSetup(metric="LIM_EPOCHS", value=10),
    )
    assert_type(await runs.start("flow_1", setup), Run)
    assert_type(await runs.start("flow_1", {"accelerator": {"name": "GPU_T4"}, "checkpoint": {}}), Run)
    assert_type(await runs.list(), list[Run])
    assert_type(await runs.kill("run_1"), Run)
    assert_type(await runs.get_logs("runlog_1"), RunLogs)
    assert_type((await runs.history("run_1")).metrics, dict[str, list[float]])


async def read_a_run(runs: Runs) -> None:
    run = await runs.get("run_1")
    assert_type(run.status, RunStatus)
    assert_type(run.status.overview, str)
    assert_type(run.status.is_terminal, bool)
    assert_type(run.created_at, datetime)
    assert_type(run.log_ids, list[str])
    latest = max(await runs.list(), key=lambda each: each["create_date"])
    assert_type(latest, Run)


async def read_a_matrix(runs: Runs) -> None:
    answer = await runs.get_confusion_matrix("run_1")
    assert_type(answer, RunConfusionMatrix)
    assert_type(answer.latest, ConfusionMatrix)
    assert_type(answer.evaluations, dict[str, ConfusionMatrix])
    assert_type(answer.latest.recall, dict[str, float])
    assert_type(answer.latest.normalized("predicted"), ConfusionMatrix)


def read_a_history(history: RunHistory) -> None:
    assert_type(history.steps, list[int])
    assert_type(len(history), int)


def tell_the_version() -> str:
    return __version__
