"""What each route answers."""

from __future__ import annotations

import json

from local_api import serving, virtual


@virtual
async def test_the_workspace_has_an_owner_and_two_projects() -> None:
    async with serving() as (_, api):
        workspace = (await api("GET", "/workspace")).data
        projects = (await api("GET", "/workspace/projects")).data
        assert workspace.keys() == {"id", "name", "owner", "tier", "createDate"}
        assert [project["name"] for project in projects] == ["Handwritten digits", "Blood cells"]
        assert {project["workspaceId"] for project in projects} == {workspace["id"]}


@virtual
async def test_a_project_tells_its_tags_and_statistic() -> None:
    async with serving() as (nexus, api):
        project = (await api("GET", f"/projects/{nexus.project_id}")).data
        assert project["id"] == nexus.project_id
        assert project["type"] == "Classification"
        assert project["statistic"]["totalAssets"] == 1797
        assert [tag["name"] for tag in project["statistic"]["tagsCount"]] == project["tags"]


@virtual
async def test_a_project_can_be_renamed() -> None:
    async with serving() as (nexus, api):
        await api("PATCH", f"/projects/{nexus.project_id}", {"name": "Digits"})
        assert (await api("GET", f"/projects/{nexus.project_id}")).data["name"] == "Digits"


@virtual
async def test_the_users_of_a_project_include_the_owner() -> None:
    async with serving() as (_, api):
        users = (await api("GET", "users")).data
        owner = (await api("GET", "/workspace")).data["owner"]
        assert owner in {user["id"] for user in users}
        assert all(user.keys() == {"id", "accessType", "email", "nickname", "picture"} for user in users)


@virtual
async def test_workflows_are_listed_and_got() -> None:
    async with serving() as (_, api):
        flows = (await api("GET", "workflows")).data
        assert len(flows) == 6
        assert (await api("GET", f"workflows/{flows[3]['id']}")).data == flows[3]


@virtual
async def test_a_workflow_can_be_retitled() -> None:
    async with serving() as (nexus, api):
        flow = nexus.projects[0].workflows[0]
        answer = await api("PATCH", f"workflows/{flow.id}", {"title": "better"})
        assert answer.data["title"] == flow.title == "better"
        assert answer.data["updateDate"] > answer.data["createDate"]


@virtual
async def test_a_deleted_workflow_is_gone_and_its_runs_stay() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        answer = await api("DELETE", f"workflows/{run.flow_id}")
        assert answer.data == {"deleted": True, "id": run.flow_id}
        assert (await api("GET", f"workflows/{run.flow_id}")).status == 404
        assert (await api("GET", f"runs/{run.id}")).data["flowId"] == run.flow_id


@virtual
async def test_a_started_run_is_creating_and_as_it_was_asked_for() -> None:
    async with serving() as (nexus, api):
        flow = nexus.projects[0].workflows[1]
        limit = {"metric": "LIM_EPOCHS", "value": 7}
        run = (await api.start(flow.id, limit=limit)).data
        assert run["status"]["overview"] == "Creating"
        assert (run["flowId"], run["projectId"]) == (flow.id, nexus.project_id)
        assert run["execution"]["limit"] == limit
        assert run["features"] == {"advancedEvaluation": True, "preview": True}
        assert run["logIds"] == list(nexus.run(run["id"]).log_ids)


@virtual
async def test_runs_are_listed_by_project_in_the_order_of_their_start() -> None:
    async with serving() as (nexus, api):
        first, second = nexus.start_run(), nexus.start_run()
        nexus.start_run(project_id=nexus.projects[1].id)
        assert [run["id"] for run in (await api("GET", "runs")).data] == [first.id, second.id]


@virtual
async def test_a_run_tells_its_state_after_each_change() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        seen = []
        for change in (run.begin, run.finish):
            change()
            seen.append((await api("GET", f"runs/{run.id}")).data["status"]["overview"])
        assert seen == ["Running", "Finished"]


@virtual
async def test_a_kill_answers_the_cancelled_run() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        answer = await api("PATCH", f"runs/{run.id}", {"status": "Cancelled"})
        assert answer.data["status"]["overview"] == run.overview == "Cancelled"


@virtual
async def test_a_kill_of_a_run_that_ended_changes_nothing() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        run.fail("out of memory")
        before = (await api("GET", f"runs/{run.id}")).data
        assert (await api("PATCH", f"runs/{run.id}", {"status": "Cancelled"})).data == before


@virtual
async def test_a_log_is_served_whole_each_time() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        log_id = run.log_ids[0]
        assert (await api("GET", f"runs/logs/{log_id}")).data == {"id": log_id, "logs": []}
        for step in (1, 2):
            run.checkpoint(step, totalLoss=1.5)
        logs = (await api("GET", f"runs/logs/{log_id}")).data["logs"]
        assert [entry["pl"]["step"] for entry in logs] == [1, 2]


@virtual
async def test_each_log_of_a_run_is_served() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        run.log("first")
        second = run.open_log()
        run.log("second")
        assert (await api("GET", f"runs/{run.id}")).data["logIds"] == list(run.log_ids)
        assert (await api("GET", f"runs/logs/{second}")).data["logs"][0]["ev"] == "second"


@virtual
async def test_a_confusion_matrix_is_json_within_json() -> None:
    async with serving() as (nexus, api):
        run = nexus.start_run()
        run.evaluate(20, ["cat", "dog"], [[3, 1], [0, 4]])
        matrix = (await api("GET", f"runs/{run.id}/confusionMatrix")).data
        cat, dog, background = json.loads(matrix["data"])["20"]
        assert matrix["object"] == "confusionMatrix"
        assert cat == {
            "id": "cat",
            "data": [{"x": "cat", "y": 3}, {"x": "dog", "y": 1}, {"x": "Background", "y": 0}],
        }
        assert (dog["id"], background["id"]) == ("dog", "Background")


@virtual
async def test_each_finished_run_has_an_insight() -> None:
    async with serving() as (nexus, api):
        finished, failed = nexus.start_run(), nexus.start_run()
        finished.checkpoint(9, totalLoss=0.25, classificationLoss="NaN")
        finished.finish()
        failed.fail("out of memory")
        (insight,) = (await api("GET", "insights")).data
        assert insight["runId"] == finished.id
        assert insight["model"]["name"] == finished.workflow.model
        assert insight["model"]["learningRate"] == finished.workflow.learning_rate
        assert insight["artifact"]["step"] == 9
        assert insight["artifact"]["metric"] == {"totalLoss": 0.25}
