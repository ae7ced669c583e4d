"""The server's lifetime and its arguments."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from typing import Any

import aiohttp
import pytest
import trustme
from local_api import one_project, serving, virtual

from nexus_async.local import (
    InvalidArgumentError,
    InvalidSetupError,
    LocalNexus,
    LocalProject,
    LocalWorkflow,
    NotStartedError,
    ScriptedTrainer,
    UnknownIdError,
)


async def test_it_serves_on_a_real_socket() -> None:
    async with serving() as (nexus, api):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", nexus.url)
        run = (await api.start(nexus.projects[0].workflows[0].id)).data
        assert run["id"] in nexus.runs


async def test_it_can_be_started_and_closed_by_hand_and_twice() -> None:
    nexus = LocalNexus(ScriptedTrainer())
    await nexus.start()
    await nexus.start()
    nexus.start_run()
    await nexus.close()
    await nexus.close()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_closed_server_does_not_listen() -> None:
    async with LocalNexus() as nexus:
        url = nexus.url
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(url)


@virtual
async def test_ids_have_the_shapes_of_nexus() -> None:
    async with serving() as (nexus, _):
        run = nexus.start_run()
        assert re.fullmatch(r"proj_[0-9a-f]{32}", nexus.project_id)
        assert re.fullmatch(r"flow_[0-9a-f]{24}", run.flow_id)
        assert re.fullmatch(r"run_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", run.id)
        assert re.fullmatch(r"runlog_Uj?[\w-]+", run.log_ids[0])


@virtual
async def test_a_seed_decides_the_ids() -> None:
    seen = []
    for seed in (1, 1, 2):
        async with serving(seed=seed) as (nexus, _):
            seen.append((nexus.project_id, nexus.start_run().id, nexus.start_run().log_ids))
    assert seen[0] == seen[1]
    assert not {seen[0][0], seen[0][1]} & {seen[2][0], seen[2][1]}


async def test_the_default_key_is_made_up_and_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_SECRET_KEY", "of the environment")
    one, two = LocalNexus(), LocalNexus()
    assert one.secret_key.startswith("local-")
    assert one.secret_key != two.secret_key


@virtual
async def test_a_given_key_is_the_one_that_counts() -> None:
    async with serving(secret_key="open sesame") as (nexus, api):
        assert nexus.secret_key == "open sesame"
        assert (await api("GET", "/workspace", key="open sesame")).status == 200
        assert (await api("GET", "/workspace", key="sesame")).status == 401


async def test_a_closed_server_can_come_back_with_its_runs() -> None:
    async with serving() as (nexus, api):
        run, url = nexus.start_run(), nexus.url
        await nexus.close()
        await nexus.start()
        assert nexus.url == url
        assert (await api("GET", f"runs/{run.id}")).data["createDate"] == run.create_date


async def test_a_port_can_be_chosen() -> None:
    async with LocalNexus() as nexus:
        port = int(nexus.url.rpartition(":")[2])
        with pytest.raises(OSError, match="in use"):
            await LocalNexus(port=port).start()
    async with LocalNexus(port=port) as again:
        assert again.url == nexus.url


@pytest.mark.parametrize(("host", "shown"), [("localhost", "localhost"), ("127.0.0.2", "127.0.0.2")])
async def test_a_host_can_be_chosen(host: str, shown: str) -> None:
    async with serving(host=host) as (nexus, api):
        assert nexus.url.startswith(f"http://{shown}:")
        assert (await api("GET", "/workspace")).status == 200


@virtual
async def test_the_epoch_is_where_time_begins() -> None:
    async with serving(epoch=1_000) as (nexus, _):
        await asyncio.sleep(2.5)
        assert nexus.now() == 3_500


@virtual
async def test_time_begins_at_the_computers_by_default() -> None:
    before = int(time.time() * 1000)
    async with serving() as (nexus, _):
        assert before <= nexus.now() <= int(time.time() * 1000)


@virtual
async def test_projects_can_be_given_and_are_not_touched() -> None:
    projects = [LocalProject(name="mine", type="Keypoint", workflows=[LocalWorkflow(title="w", model="m")])]
    async with serving(projects=projects) as (nexus, api):
        (project,) = (await api("GET", "/workspace/projects")).data
        assert (project["name"], project["type"]) == ("mine", "Keypoint")
        assert nexus.start_run().workflow.model == "m"
    assert projects[0].id == projects[0].workflows[0].id == ""


@virtual
async def test_a_given_project_shows_its_tags_groups_and_assets() -> None:
    project = LocalProject(name="mine", tags=("cat", "dog"), groups=("night",), assets=50)
    async with serving(projects=[project]) as (nexus, api):
        shown = (await api("GET", f"/projects/{nexus.project_id}")).data
        assert (shown["tags"], shown["groups"]) == (["cat", "dog"], ["night"])
        assert shown["statistic"]["totalAssets"] == 50
        assert shown["statistic"]["tagsCount"] == [{"name": "cat", "count": 25}, {"name": "dog", "count": 25}]


def _certificates() -> tuple[ssl.SSLContext, ssl.SSLContext, trustme.CA]:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    client = ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(server)
    authority.configure_trust(server)
    authority.configure_trust(client)
    return server, client, authority


async def test_with_a_certificate_it_speaks_https() -> None:
    server, client, _ = _certificates()
    async with LocalNexus(ssl_context=server) as nexus, aiohttp.ClientSession() as session:
        assert nexus.url.startswith("https://")
        headers = {"Secret-Key": nexus.secret_key}
        async with session.get(f"{nexus.url}/workspace", headers=headers, ssl=client) as answer:
            assert answer.status == 200
        async with session.get(f"{nexus.url}/workspace", ssl=client) as answer:
            assert answer.status == 401


async def test_a_verified_client_certificate_stands_for_the_key() -> None:
    server, client, authority = _certificates()
    server.verify_mode = ssl.CERT_REQUIRED
    authority.issue_cert("client@example.com").configure_cert(client)
    async with (
        LocalNexus(ssl_context=server) as nexus,
        aiohttp.ClientSession() as session,
        session.get(f"{nexus.url}/workspace", ssl=client) as answer,
    ):
        assert answer.status == 200


@virtual
async def test_a_run_can_be_started_without_a_request() -> None:
    async with serving() as (nexus, _):
        project = nexus.projects[1]
        run = nexus.start_run(project.workflows[1].id, {"advanced_evaluation": True}, project_id=project.id)
        assert run.workflow is project.workflows[1]
        assert run.features.advanced_evaluation is True
        assert nexus.run(run.id) is run


@virtual
async def test_a_setup_is_read_in_the_names_of_python_and_of_the_wire() -> None:
    async with serving() as (nexus, _):
        for name in ("evaluation_interval", "evaluationInterval"):
            rule = {"strategy": "STRAT_EVERY_N_EPOCH", name: 7}
            assert nexus.start_run(setup={"checkpoint": rule}).execution.checkpoint.evaluation_interval == 7


@pytest.mark.parametrize(
    ("setup", "named"),
    [
        ({"accelerator": {"name": 5}}, r"accelerator\.name"),
        ({"gpu": "T4"}, "gpu"),
        ({"limit": {"metric": "LIM_MINUTE", "value": 0}}, "LIM_MINUTE"),
        ({"preview": "yes"}, "preview"),
    ],
)
@virtual
async def test_a_wrong_setup_is_named(setup: dict[str, object], named: str) -> None:
    async with serving() as (nexus, _):
        with pytest.raises(InvalidSetupError, match=named):
            nexus.start_run(setup=setup)


@virtual
async def test_unknown_projects_and_workflows_are_named() -> None:
    async with serving(projects=one_project()) as (nexus, _):
        with pytest.raises(UnknownIdError, match="no project proj_0"):
            nexus.start_run(project_id="proj_0")
        with pytest.raises(UnknownIdError, match="no workflow flow_0"):
            nexus.start_run("flow_0")


@virtual
async def test_runs_are_read_only() -> None:
    async with serving() as (nexus, _):
        with pytest.raises(TypeError):
            nexus.runs["run_0"] = nexus.start_run()  # type: ignore[index]  # what must not work


def test_nothing_works_before_the_start() -> None:
    nexus = LocalNexus()
    for use in (lambda: nexus.url, nexus.now, nexus.start_run):
        with pytest.raises(NotStartedError):
            use()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"host": "0.0.0.0"}, "0.0.0.0"),
        ({"host": "example.com"}, "example.com"),
        ({"port": -1}, "port=-1"),
        ({"port": 65536}, "port=65536"),
        ({"secret_key": ""}, "secret_key is empty"),
        ({"projects": []}, "projects is empty"),
        ({"epoch": -1}, "epoch=-1"),
        ({"max_runs": 0}, "max_runs=0"),
        ({"max_log_bytes": 0}, "max_log_bytes=0"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(named)):
        LocalNexus(**arguments)


def test_a_learning_rate_is_above_zero() -> None:
    with pytest.raises(InvalidArgumentError, match=r"learning_rate=0\.0"):
        LocalWorkflow(title="t", learning_rate=0.0)
