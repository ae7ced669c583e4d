"""What the doctor finds at a Nexus that answers oddly; that it only reads, tells nothing private, and goes on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web
from odd_nexus import WORDS, OddNexus, lines, odd_nexus, report_on

from nexus_async.local import LocalProject, LocalWorkflow

if TYPE_CHECKING:
    from nexus_async.doctor import Report
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time

CLASSES = ("Line three", "scratch")


def trained(nexus: OddNexus) -> LocalRun:
    run = nexus.train(1, 2, over=True)
    run.evaluate(2, CLASSES, [[1, 0], [0, 1]])
    return run


async def look(change: Any, **options: Any) -> Report:
    """Report on a Nexus with a run that is over, after `change` made it odd."""
    async with odd_nexus() as nexus:
        trained(nexus)
        change(nexus)
        return await report_on(nexus, **options)


def in_runs(change: Any) -> Any:
    """Change every run, where it is listed and where it stands alone."""

    def make_odd(nexus: OddNexus) -> None:
        [run] = nexus.runs
        nexus.says("/runs", lambda runs: [change(each) for each in runs])
        nexus.says(f"/{run}", change)

    return make_odd


async def test_a_nexus_as_this_release_knows_it_is_in_order() -> None:
    report = await look(lambda _: None)
    assert report.exit_code == 0
    assert [line for line in lines(report) if line.startswith("broken")] == []
    assert "ok: Run: as this release knows it" not in lines(report)  # its debug is unknown
    assert "note: `Run.execution.debug` (boolean) is unknown to this release: 2 times in 2" in lines(report)


async def test_every_request_is_a_get_and_every_route_that_reads_is_asked() -> None:
    async with odd_nexus() as nexus:
        run = trained(nexus)
        nexus.train(1)
        report = await report_on(nexus)
        base = f"/projects/{nexus.project_id}"
        flow = nexus.projects[0].workflows[0].id
    assert {method for method, _ in nexus.asked} == {"GET"}
    assert len(nexus.asked) == report.requests
    assert {path for _, path in nexus.asked} >= {
        "/workspace", "/workspace/projects", base, f"{base}/users", f"{base}/insights", f"{base}/workflows",
        f"{base}/workflows/{flow}", f"{base}/runs", f"{base}/runs/{run.id}", f"{base}/runs/logs/{run.log_ids[0]}",
        f"{base}/runs/{run.id}/confusionMatrix",
    }  # fmt: skip


async def test_nothing_private_stands_in_a_report() -> None:
    projects = [LocalProject(name="Line three", workflows=[LocalWorkflow(title="Line three")], tags=CLASSES)]
    async with odd_nexus(projects=projects) as nexus:
        run = trained(nexus)
        nexus.says("/users", lambda _: [{"id": 7, "email": WORDS[2], WORDS[2]: WORDS[2], "accessType": None}])
        nexus.says("/confusionMatrix", lambda _: {"object": WORDS[2], "data": f'{{"1": "{WORDS[2]}"}}'})
        nexus.fails("/insights", 500)
        nexus.adds("/workspace", X_Secret=WORDS[0], Cache_Control="ünexpected", Vary=WORDS[2])
        report = await report_on(nexus)
        private = [*WORDS, nexus.url, nexus.project_id, run.id, run.log_ids[0], run.flow_id, "Line"]
    for text in (report.markdown(), report.json()):
        assert [word for word in private if word in text] == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda run: {**run, "execution": {**run["execution"], "foo": 1}}, "note: `Run.execution.foo` (integer) is unknown to this release: 2 times in 2"),
        (lambda run: {**run, "status": {**run["status"], "overview": "Paused"}}, "note: `Run.status.overview` is `Paused`, which is unknown to this release: 2 times in 2"),
        (lambda run: {**run, "logIds": None}, "note: `Run.logIds` is null in place of list: 2 times in 2"),
        (lambda run: {**run, "createDate": 5.0}, "note: `Run.createDate` is number in place of integer: 2 times in 2"),
        (lambda run: {**run, "createDate": "soon"}, "broken: `Run.createDate` is text in place of integer: 2 times in 2"),
        (lambda run: {key: item for key, item in run.items() if key != "status"}, "broken: `Run.status` is not there: 2 times in 2"),
    ],
    ids=["extra", "value", "null", "whole float", "type", "missing"],
)  # fmt: skip
async def test_a_shape_is_broken_where_a_client_refuses_it_and_a_note_where_it_is_taken(
    change: Any, told: str
) -> None:
    report = await look(in_runs(change))
    assert told in lines(report, "Shapes")
    assert report.exit_code == (1 if told.startswith("broken") else 0)


@pytest.mark.parametrize(
    ("body", "told"),
    [(b"<html>Log in</html>", "markup"), (b" ", "an empty body"), (b"{oops", "5 bytes of something else")],
)
async def test_an_answer_that_is_no_json_is_broken(body: bytes, told: str) -> None:
    report = await look(lambda nexus: nexus.changes.update({"/users": lambda _: web.Response(body=body)}))
    assert f"broken: GET /projects/{{project}}/users: {told} in place of JSON" in lines(report, "Shapes")


@pytest.mark.parametrize(
    "route",
    ["/workspace", "/workspace/projects", "/users", "/insights", "/workflows", "/runs", "/confusionMatrix"],
)
async def test_a_route_that_fails_hides_none_of_the_others(route: str) -> None:
    async with odd_nexus() as nexus:
        trained(nexus)
        nexus.fails(route, 500)
        report = await report_on(nexus, project=nexus.project_id)
    [failure] = {line for line in lines(report) if "500" in line and line.startswith("broken")}
    assert f"{route}: 500 Odd (3 tries)" in failure
    assert (report.exit_code, len(report.sections)) == (1, 10)
    assert ("ok: 1 run: 1 Finished; 0 with several logs, 0 without one" in lines(report)) == (route != "/runs")


async def test_a_probe_that_breaks_hides_none_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from nexus_async.doctor import examination

    async def breaks(_: object) -> Any:
        raise KeyError(WORDS[0])

    probes = tuple((title, breaks if title == "Logs" else probe) for title, probe in examination.PROBES)
    monkeypatch.setattr(examination, "PROBES", probes)
    report = await look(lambda _: None)
    [said] = lines(report, "Logs")
    assert said.startswith("broken: this probe failed itself, with KeyError at test_doctor_probes.py:")
    assert any(line.startswith("ok: the confusion matrix") for line in lines(report))


async def test_a_failure_that_passes_is_tried_again_and_seen_among_the_headers() -> None:
    async with odd_nexus() as nexus:
        left = ["7", None]

        def once(answer: web.Response) -> web.StreamResponse:
            after = left.pop(0) if left else None
            return web.Response(status=429, headers={"Retry-After": after}) if after else answer

        nexus.changes["/users"] = once
        began = asyncio.get_running_loop().time()
        report = await report_on(nexus)
        assert asyncio.get_running_loop().time() - began == pytest.approx(7, abs=1)
    assert report.exit_code == 0
    assert "note: status 429 at /projects/{project}/users: 1 time" in lines(report, "Headers")
    assert any(
        line.startswith("ok: `Retry-After`: on 1 of ") and line.endswith(": 7 (1)") for line in lines(report)
    )


async def test_a_refused_key_is_told_and_ends_with_a_code_of_its_own() -> None:
    async with odd_nexus() as nexus:
        nexus.secret_key = "another"  # what the client sends
        report = await report_on(nexus)
    assert report.exit_code == 4
    assert "The key is refused" in report.markdown()
    assert any("the key is refused: check DATATURE_SECRET_KEY" in line for line in lines(report))


async def test_a_server_that_is_not_there_is_broken_and_is_no_refusal() -> None:
    async with odd_nexus() as nexus:
        await nexus.close()
        report = await report_on(nexus)
    assert report.exit_code == 1
    assert any("no connection to the endpoint" in line for line in lines(report, "Key"))
    assert "127.0.0.1" not in report.markdown()


@pytest.mark.parametrize("identifier", ["", "..", "\ud800"])
async def test_an_id_that_cannot_be_asked_for_hides_nothing_else(identifier: str) -> None:
    def make_odd(nexus: OddNexus) -> None:
        nexus.says(
            "/runs", lambda runs: [*runs, {**runs[0], "id": identifier}, {**runs[0], "logIds": [identifier]}]
        )
        nexus.says("/workflows", lambda flows: [{**flows[0], "id": identifier}, *flows])
        nexus.says("/workspace/projects", lambda projects: [{**projects[0], "id": identifier}, *projects])

    report = await look(make_odd)
    assert "failed itself" not in report.markdown()
    assert any("1 of 3 runs of a list have no ID" in line for line in lines(report))
    assert any("2 of them checkpoints" in line for line in lines(report, "Logs"))


async def test_a_status_that_is_a_sentence_is_told_by_its_length_where_a_log_fails() -> None:
    status = {"overview": f"Over\n- ok: {WORDS[2]}", "message": "", "updateDate": 1}

    def make_odd(nexus: OddNexus) -> None:
        in_runs(lambda run: {**run, "status": status})(nexus)
        nexus.fails(nexus.runs[next(iter(nexus.runs))].log_ids[0], 403)

    report = await look(make_odd)
    assert any("<30 characters>" in line and "403" in line for line in lines(report, "Logs"))
    assert WORDS[2] not in report.markdown()


async def test_one_project_is_looked_into_where_it_is_named() -> None:
    async with odd_nexus() as nexus:
        second = nexus.projects[1].id
        await report_on(nexus, project=second.removeprefix("proj_"))
    asked = [path for _, path in nexus.asked if path.startswith("/projects/")]
    assert asked
    assert all(path.startswith(f"/projects/{second}") for path in asked)


async def test_a_project_may_be_named_and_its_name_is_not_told() -> None:
    async with odd_nexus() as nexus:
        second = nexus.projects[1]
        report = await report_on(nexus, project=second.name)
    assert {path.split("/")[2] for _, path in nexus.asked if path.startswith("/projects/")} == {second.id}
    assert second.name not in report.markdown()


async def test_a_project_that_is_not_listed_is_told() -> None:
    report = await look(lambda _: None, project="proj_0000000000000000000")
    assert "note: the project proj_0000... is not among them" in lines(report, "Key")
    assert any("GET /projects/{project}: 403" in line or "404" in line for line in lines(report))


async def test_more_projects_than_are_looked_into_are_counted() -> None:
    projects = [LocalProject(name=f"p{i}", workflows=[LocalWorkflow(title="w")]) for i in range(7)]
    async with odd_nexus(projects=projects) as nexus:
        report = await report_on(nexus)
    assert "unknown: 2 projects were not looked into: --project names one" in lines(report, "Key")
    assert len({path.split("/")[2] for _, path in nexus.asked if path.startswith("/projects/")}) == 5
