"""What the two clients make of the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nexus_async.local import LocalNexus, LocalRun, ScriptedTrainer

from .callers import Account, Call, Caller, call_ours
from .deviations import IN_ANSWERS, IN_ERRORS, IN_SPARSE_ANSWERS, Difference, check, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .recorder import Recorder

SETUP = {
    "accelerator": {"name": "GPU_L4", "count": 2},
    "checkpoint": {
        "strategy": "STRAT_LOWEST_VALIDATION_LOSS",
        "metric": "Loss/total_loss",
        "evaluation_interval": 220,
    },
    "limit": {"metric": "LIM_EPOCHS", "value": 9},
}
OWN = {"id", "create_date", "update_date", "log_ids", "update_data"}
"""What no two runs share."""


def between(calls: list[Call], theirs: list[Any], ours: list[Any]) -> Iterator[Difference]:
    for (name, *_), their, our in zip(calls, theirs, ours, strict=True):
        yield from differences(their, our, name)


def train(run: LocalRun) -> None:
    run.checkpoint(0, totalLoss=64.055, boxLoss="NaN", classificationLoss=None, count=3)
    run.log("trainingMessage", {"deep": [{"er": 1.0}], "text": "\u00e9\u2603"})
    run.log("bare")
    run.checkpoint(250, totalLoss=0.5, classificationLoss=0.25)
    run.evaluate(250, ["RBC", "WBC"], [[3, 1], [0, 4]])


def run_in_each_state(nexus: LocalNexus) -> dict[str, LocalRun]:
    runs = {state: nexus.start_run() for state in ("Creating", "Running", "Finished", "Errored", "Cancelled")}
    train(runs["Running"])
    train(runs["Finished"])
    runs["Finished"].finish()
    runs["Errored"].fail("out of memory")
    runs["Cancelled"].cancel()
    return runs


async def test_every_read_answers_the_same_field_by_field(
    nexus: LocalNexus, account: Account, theirs: Caller
) -> None:
    runs = run_in_each_state(nexus)
    run = runs["Finished"]
    calls: list[Call] = [
        ("client.get_info",),
        ("client.list_projects",),
        ("project.get_info",),
        ("project.list_insights",),
        ("project.list_users",),
        ("project.workflows.list",),
        ("project.workflows.get", run.flow_id),
        ("project.runs.list",),
        ("project.runs.get", run.id),
        ("project.runs.get_logs", run.log_ids[0]),
        ("project.runs.get_confusion_matrix", run.id),
    ]
    their, our = await theirs(account, *calls), await call_ours(account, *calls)
    assert all(answer and "error" not in answer for answer in their)
    check(between(calls, their, our), IN_ANSWERS)


async def test_each_state_of_a_run_reads_the_same(nexus: LocalNexus, account: Account, theirs: Caller) -> None:
    runs = run_in_each_state(nexus)
    calls: list[Call] = [("project.runs.get", run.id) for run in runs.values()]
    their, our = await theirs(account, *calls), await call_ours(account, *calls)
    assert [run["status"]["overview"] for run in their] == list(runs)
    assert their == our


async def test_a_projects_id_works_without_its_prefix_in_both(account: Account, theirs: Caller) -> None:
    bare = account._replace(project=account.project.removeprefix("proj_"))
    assert bare != account
    [their], [our] = await theirs(bare, ("project.get_info",)), await call_ours(bare, ("project.get_info",))
    assert their["id"] == account.project
    assert their == our


async def test_all_projects_that_are_listed_have_the_same_ids(account: Account, theirs: Caller) -> None:
    call = ("client.list_projects",)
    [their], [our] = await theirs(account, call), await call_ours(account, call)
    assert [project["project_id"] for project in their] == [project["id"] for project in our]


async def test_a_listed_project_already_holds_what_theirs_has_to_ask_for(
    account: Account, theirs: Caller
) -> None:
    [their] = await theirs(account, ("project.get_info",))
    [projects] = await call_ours(account, ("client.list_projects",))
    assert projects[0]["info"] == their


@pytest.mark.parametrize(
    "features",
    [{}, {"preview": True, "matrix": True}, {"advanced_evaluation": True}, {"advanced_evaluation": False}],
    ids=str,
)
async def test_a_start_by_either_gives_equal_runs(
    features: dict[str, bool], nexus: LocalNexus, account: Account, theirs: Caller
) -> None:
    call = ("project.runs.start", nexus.projects[0].workflows[1].id, SETUP | features)
    [their], [our] = await theirs(account, call), await call_ours(account, call)
    differing = {difference.where.split(".")[-1] for difference in differences(their, our, "")}
    assert {"id", "log_ids[]"} <= differing <= OWN | {"log_ids[]"}
    assert their["execution"]["checkpoint"]["metric"] == "Loss/total_loss"


async def test_each_reads_what_the_other_started(nexus: LocalNexus, account: Account, theirs: Caller) -> None:
    start = ("project.runs.start", nexus.projects[0].workflows[0].id, SETUP)
    [their], [our] = await theirs(account, start), await call_ours(account, start)
    assert await call_ours(account, ("project.runs.get", their["id"])) == [their]
    assert await theirs(account, ("project.runs.get", our["id"])) == [our]


async def test_a_kill_by_either_cancels_alike(nexus: LocalNexus, account: Account, theirs: Caller) -> None:
    mine, yours = nexus.start_run(), nexus.start_run()
    [their] = await theirs(account, ("project.runs.kill", yours.id))
    [our] = await call_ours(account, ("project.runs.kill", mine.id))
    differing = {difference.where.split(".")[-1] for difference in differences(their, our, "")}
    assert mine.overview == yours.overview == their["status"]["overview"] == "Cancelled"
    assert differing <= OWN | {"log_ids[]"}


async def test_a_second_kill_by_the_other_answers_the_same_run(
    nexus: LocalNexus, account: Account, theirs: Caller
) -> None:
    run = nexus.start_run()
    [their] = await theirs(account, ("project.runs.kill", run.id))
    assert await call_ours(account, ("project.runs.kill", run.id)) == [their]
    assert their["id"] == run.id


async def test_a_project_is_renamed_alike(account: Account, theirs: Caller) -> None:
    rename = ("project.update", {"name": "renamed"})
    [their], [our] = await theirs(account, rename), await call_ours(account, rename)
    assert their["name"] == "renamed"
    assert their == our


async def test_a_workflow_is_renamed_alike(nexus: LocalNexus, account: Account, theirs: Caller) -> None:
    rename = ("project.workflows.update", nexus.projects[0].workflows[0].id, {"title": "renamed"})
    [their], [our] = await theirs(account, rename), await call_ours(account, rename)
    assert their["title"] == "renamed"
    assert {difference.where for difference in differences(their, our, "")} <= {"update_date"}


async def test_a_workflow_is_deleted_alike(nexus: LocalNexus, account: Account, theirs: Caller) -> None:
    yours, mine = (workflow.id for workflow in nexus.projects[0].workflows[:2])
    assert await theirs(account, ("project.workflows.delete", yours)) == [{"deleted": True, "id": yours}]
    assert await call_ours(account, ("project.workflows.delete", mine)) == [{"deleted": True, "id": mine}]
    assert not {yours, mine} & {workflow.id for workflow in nexus.projects[0].workflows}


async def test_what_an_answer_leaves_out_reads_the_same(recorder: Recorder, theirs: Caller) -> None:
    calls: list[Call] = [
        ("project.get_info",),
        ("project.workflows.delete", "flow_1"),
        ("project.runs.get", "run_1"),
        ("project.runs.get_confusion_matrix", "run_1"),
    ]
    their, our = await theirs(recorder.account, *calls), await call_ours(recorder.account, *calls)
    check(between(calls, their, our), IN_SPARSE_ANSWERS)


async def test_what_is_refused_raises_errors_of_the_same_name(
    nexus: LocalNexus, account: Account, theirs: Caller
) -> None:
    calls: list[Call] = [
        ("project.runs.get", "run_none"),
        ("project.runs.get_logs", "runlog_none"),
        ("project.runs.get_confusion_matrix", nexus.start_run().id),
        ("project.workflows.get", "flow_none"),
        ("project.update", {"name": ""}),
    ]
    expected = [{"error": "NotFoundError"}] * 4 + [{"error": "BadRequestError"}]
    assert await theirs(account, *calls) == await call_ours(account, *calls) == expected


async def test_a_project_of_others_is_forbidden_in_both(account: Account, theirs: Caller) -> None:
    other, call = account._replace(project="proj_others"), ("project.get_info",)
    assert await theirs(other, call) == await call_ours(other, call) == [{"error": "ForbiddenError"}]


async def test_two_errors_have_a_name_of_their_own(theirs: Caller) -> None:
    async with LocalNexus(ScriptedTrainer(), max_runs=1) as nexus:
        stranger = Account(nexus.url, "another-key", nexus.project_id)
        account = stranger._replace(key=nexus.secret_key)
        refused: list[Call] = [("client.get_info",)]
        full: list[Call] = [("project.runs.start", nexus.start_run().flow_id, SETUP)]
        found = [
            *between(refused, await theirs(stranger, *refused), await call_ours(stranger, *refused)),
            *between(full, await theirs(account, *full), await call_ours(account, *full)),
        ]
    check(found, IN_ERRORS)
