"""Every operation against a local Nexus: the request is understood, and the answer is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from scripted_api import SETUP

from nexus_async import (
    AuthenticationError,
    BadRequestError,
    ForbiddenError,
    NotFoundError,
    ProjectUpdate,
    RateLimitedError,
    RunSetup,
    WorkflowUpdate,
)
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time


async def test_get_info_tells_of_the_workspace(local_nexus: LocalNexus, nexus_client: Client) -> None:
    workspace = await nexus_client.get_info()
    assert (workspace.id, workspace.name) == (local_nexus.projects[0].workspace_id, "Local workspace")


async def test_list_projects_gives_each_with_what_is_known_of_it(
    local_nexus: LocalNexus, nexus_client: Client
) -> None:
    projects = await nexus_client.list_projects()
    known = [(project.id, project.info.name if project.info else None) for project in projects]
    assert known == [(project.id, project.name) for project in local_nexus.projects]


async def test_a_listed_project_can_be_asked(local_nexus: LocalNexus, nexus_client: Client) -> None:
    run = local_nexus.start_run()
    project = (await nexus_client.list_projects())[0]
    assert [one.id for one in await project.runs.list()] == [run.id]


async def test_a_project_is_reached_with_and_without_its_prefix(
    local_nexus: LocalNexus, nexus_client: Client
) -> None:
    bare = local_nexus.project_id.removeprefix("proj_")
    assert nexus_client.get_project(bare).id == nexus_client.get_project(local_nexus.project_id).id
    assert (await nexus_client.get_project(bare).get_info()).id == local_nexus.project_id


def test_get_project_makes_no_request() -> None:
    from nexus_async import Client

    project = Client("k", endpoint="http://127.0.0.1:9").get_project("b705a")
    assert (project.id, project.info, repr(project)) == ("proj_b705a", None, "Project('proj_b705a')")


async def test_project_get_info_tells_of_the_project(project: Project) -> None:
    info = await project.get_info()
    assert (info.name, info.type) == ("Handwritten digits", "Classification")
    assert project.info is info


@pytest.mark.parametrize("update", [{"name": "Digits"}, ProjectUpdate(name="Digits")])
async def test_project_update_renames_it(
    local_nexus: LocalNexus, project: Project, update: ProjectUpdate | dict[str, str]
) -> None:
    assert (await project.update(update)).name == "Digits"
    assert local_nexus.projects[0].name == "Digits"
    assert project.info is not None
    assert project.info.name == "Digits"


async def test_list_insights_gives_one_for_each_finished_run(local_nexus: LocalNexus, project: Project) -> None:
    local_nexus.start_run()
    finished = local_nexus.start_run()
    finished.checkpoint(step=1, totalLoss=0.5)
    finished.finish()
    assert [insight.run_id for insight in await project.list_insights()] == [finished.id]


async def test_list_users_gives_who_works_on_the_project(project: Project) -> None:
    assert [user.nickname for user in await project.list_users()] == ["Ada", "Grace"]


async def test_workflows_list_gives_all_of_them(local_nexus: LocalNexus, project: Project) -> None:
    titles = [workflow.title for workflow in await project.workflows.list()]
    assert titles == [workflow.title for workflow in local_nexus.projects[0].workflows]


async def test_workflows_get_gives_one(local_nexus: LocalNexus, project: Project) -> None:
    wanted = local_nexus.projects[0].workflows[2]
    assert (await project.workflows.get(wanted.id)).title == wanted.title


@pytest.mark.parametrize("update", [{"title": "Slow"}, WorkflowUpdate(title="Slow")])
async def test_workflows_update_renames_one(
    local_nexus: LocalNexus, project: Project, update: WorkflowUpdate | dict[str, str]
) -> None:
    flow = local_nexus.projects[0].workflows[1]
    assert (await project.workflows.update(flow.id, update)).title == "Slow"
    assert flow.title == "Slow"


async def test_workflows_delete_deletes_one(local_nexus: LocalNexus, project: Project) -> None:
    flow = local_nexus.projects[0].workflows[0]
    answer = await project.workflows.delete(flow.id)
    assert (answer.deleted, answer.id) == (True, flow.id)
    assert flow not in local_nexus.projects[0].workflows


async def test_runs_list_gives_all_of_them(local_nexus: LocalNexus, project: Project) -> None:
    ids = [local_nexus.start_run().id for _ in range(3)]
    assert [run.id for run in await project.runs.list()] == ids


async def test_runs_list_of_an_empty_project_is_empty(project: Project) -> None:
    assert await project.runs.list() == []


async def test_runs_get_tells_how_a_run_failed(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.fail("out of memory")
    status = (await project.runs.get(run.id)).status
    assert (status.overview, status.message) == ("Errored", "out of memory")


async def test_runs_kill_cancels_a_run(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    assert (await project.runs.kill(run.id)).status.overview == "Cancelled"
    assert run.overview == "Cancelled"


async def test_runs_start_starts_what_was_asked_for(local_nexus: LocalNexus, project: Project) -> None:
    flow = local_nexus.projects[0].workflows[1]
    setup = {
        "accelerator": {"name": "GPU_A100_40GB", "count": 2},
        "checkpoint": {
            "strategy": "STRAT_LOWEST_VALIDATION_LOSS",
            "metric": "Loss/total_loss",
            "evaluation_interval": 20,
        },
        "limit": {"metric": "LIM_EPOCHS", "value": 7},
        "matrix": True,
    }
    run = await project.runs.start(flow.id, setup)
    assert list(local_nexus.runs) == [run.id]
    assert run.flow_id == flow.id
    execution = run.execution
    assert execution.accelerator is not None
    assert execution.checkpoint is not None
    assert execution.limit is not None
    assert (execution.accelerator.name, execution.accelerator.count) == ("GPU_A100_40GB", 2)
    assert (execution.checkpoint.metric, execution.checkpoint.evaluation_interval) == ("Loss/total_loss", 20)
    assert (execution.limit.metric, execution.limit.value) == ("LIM_EPOCHS", 7)
    assert run.features.matrix


async def test_runs_start_takes_a_typed_setup(local_nexus: LocalNexus, project: Project) -> None:
    flow = local_nexus.projects[0].workflows[0]
    run = await project.runs.start(flow.id, RunSetup.parse(SETUP))
    assert run.id in local_nexus.runs


async def test_runs_get_logs_gives_the_whole_log(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.checkpoint(step=1, totalLoss=0.9)
    run.checkpoint(step=2, totalLoss=float("nan"))
    log = await project.runs.get_logs(run.log_ids[0])
    assert log.id == run.log_ids[0]
    assert [entry["pl"]["totalLoss"] for entry in log.logs] == [0.9, "NaN"]


async def test_runs_get_logs_reads_a_log_above_what_is_sent_at_once(
    local_nexus: LocalNexus, project: Project
) -> None:
    run = local_nexus.start_run()
    for step in range(3000):
        run.checkpoint(step=step, totalLoss=0.5, boxLoss=0.25)
    log = await project.runs.get_logs(run.log_ids[0])
    assert [entry["pl"]["step"] for entry in log.logs] == list(range(3000))


async def test_runs_get_logs_reads_a_bare_nan(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.append(b'{"ev": "trainingCheckpoint", "t": 1, "pl": {"totalLoss": NaN}}')
    loss = (await project.runs.get_logs(run.log_ids[0])).logs[0]["pl"]["totalLoss"]
    assert loss != loss  # noqa: PLR0124 - what a NaN is


async def test_runs_get_confusion_matrix_gives_its_counts(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    run.evaluate(20, ["cat", "dog"], [[5, 1], [2, 7]])
    matrix = (await project.runs.get_confusion_matrix(run.id)).latest
    assert matrix.count(predicted="cat", true="dog") == 1


async def test_runs_stream_logs_follows_a_run_to_its_end(local_nexus: LocalNexus, project: Project) -> None:
    run = local_nexus.start_run()
    for step in (1, 2, 3):
        run.checkpoint(step=step)
    run.finish()
    assert [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id)] == [1, 2, 3]


async def test_an_unknown_run_is_not_found(project: Project) -> None:
    with pytest.raises(NotFoundError, match="run_none"):
        await project.runs.get("run_none")


async def test_another_project_is_forbidden(nexus_client: Client) -> None:
    with pytest.raises(ForbiddenError, match="No Access Rights"):
        await nexus_client.get_project("another").runs.list()


async def test_a_wrong_key_is_refused(local_nexus: LocalNexus) -> None:
    local_nexus.secret_key, right = "wrong", local_nexus.secret_key
    async with client_for(local_nexus) as client:
        with pytest.raises(AuthenticationError) as caught:
            await client.get_info()
    assert right not in str(caught.value)


async def test_a_name_that_the_api_refuses_is_a_bad_request(project: Project) -> None:
    with pytest.raises(BadRequestError):
        await project.update({"name": ""})


async def test_a_full_server_asks_a_start_to_come_back(local_nexus: LocalNexus, project: Project) -> None:
    local_nexus._state.registry._limit = 1
    local_nexus.start_run()
    with pytest.raises(RateLimitedError) as caught:
        await project.runs.start(local_nexus.projects[0].workflows[0].id, SETUP)
    assert (caught.value.attempts, caught.value.retry_after) == (3, 10)
