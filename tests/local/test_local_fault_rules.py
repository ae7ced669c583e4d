"""Which requests a fault befalls, and when."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fault_session import Session, asking
from local_api import virtual

from nexus_async.local import Fault, InvalidArgumentError, LocalNexus
from nexus_async.local.faults.routes import OPERATIONS
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nexus_async import Client, Project
    from nexus_async.local import LocalRun

SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
BAD = Fault.refuse(503)

CALLS: dict[str, Callable[[Client, Project, LocalRun], Awaitable[object]]] = {
    "list": lambda _, project, __: project.runs.list(),
    "get": lambda _, project, run: project.runs.get(run.id),
    "start": lambda _, project, run: project.runs.start(run.flow_id, SETUP),
    "kill": lambda _, project, run: project.runs.kill(run.id),
    "get_logs": lambda _, project, run: project.runs.get_logs(run.log_ids[0]),
    "get_confusion_matrix": lambda _, project, run: project.runs.get_confusion_matrix(run.id),
    "workflows.list": lambda _, project, __: project.workflows.list(),
    "workflows.get": lambda _, project, run: project.workflows.get(run.flow_id),
    "workflows.update": lambda _, project, run: project.workflows.update(run.flow_id, {"title": "x"}),
    "workflows.delete": lambda _, project, __: project.workflows.delete("flow_of_nobody"),
    "project.get_info": lambda _, project, __: project.get_info(),
    "project.update": lambda _, project, __: project.update({"name": "x"}),
    "project.list_insights": lambda _, project, __: project.list_insights(),
    "project.list_users": lambda _, project, __: project.list_users(),
    "client.get_info": lambda client, _, __: client.get_info(),
    "client.list_projects": lambda client, _, __: client.list_projects(),
}


async def outcomes(session: Session, count: int) -> str:
    """Say of so many requests which went well: "." is well, "F" is not."""
    return "".join(["." if (await session.get())[0].status == 200 else "F" for _ in range(count)])


@virtual
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_name_of_an_operation_means_its_requests_alone(operation: str) -> None:
    async with LocalNexus() as nexus, client_for(nexus, attempts=1) as client:
        project, run = client.get_project(nexus.project_id), nexus.start_run()
        rule = nexus.faults.add(Fault.drop("before"), on=operation)
        struck = []
        for name, call in CALLS.items():
            before = rule.struck
            await asyncio.gather(call(client, project, run), return_exceptions=True)
            struck += [name] * (rule.struck > before)
        assert struck == [operation]


@virtual
@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("any", [503, 503]),
        ("/projects/*", [503, 503]),
        ("*", None),
        ("GET /projects/*/runs/*", [503, 200]),
        ("PATCH /projects/*", [200, 503]),
        ("POST /projects/*", [200, 200]),
        (["get", "kill"], [503, 503]),
        ([], [200, 200]),
        ("/", [200, 200]),
    ],
)
async def test_requests_are_meant_by_method_and_path(on: Any, expected: list[int] | None) -> None:
    async with asking() as session:
        if expected is None:
            with pytest.raises(InvalidArgumentError, match="get_confusion_matrix"):
                session.nexus.faults.add(BAD, on=on)
            return
        session.nexus.faults.add(BAD, on=on)
        assert [(await session.get())[0].status, (await session.kill())[0].status] == expected


@virtual
@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({}, "FFFFFFFF"),
        ({"times": 2}, "FF......"),
        ({"skip": 3}, "...FFFFF"),
        ({"every": 3}, "..F..F.."),
        ({"every": 2, "skip": 1, "times": 2}, "..F.F..."),
        ({"chance": 1e-9}, "........"),
    ],
)
async def test_conditions_say_which_of_the_requests_are_struck(when: Any, expected: str) -> None:
    async with asking() as session:
        rule = session.nexus.faults.add(BAD, **when)
        assert await outcomes(session, 8) == expected
        assert rule.struck == expected.count("F")


@virtual
async def test_chance_is_decided_by_the_seed() -> None:
    said = []
    for seed in (1, 1, 2):
        async with asking(seed=seed) as session:
            session.nexus.faults.add(BAD, chance=0.3)
            said.append(await outcomes(session, 300))
    assert said[0] == said[1] != said[2]
    assert 60 < said[0].count("F") < 120


@virtual
async def test_two_chances_of_one_server_are_independent() -> None:
    async with asking() as session:
        for _ in range(2):
            session.nexus.faults.add(Fault.latency(1), chance=0.5)
        begun = asyncio.get_running_loop().time()
        await outcomes(session, 100)
        both = session.nexus.faults.add(Fault.latency(1), times=1)
        assert both.struck == 0
        assert 80 < asyncio.get_running_loop().time() - begun < 120


@virtual
async def test_seconds_are_counted_by_the_clock_of_the_server_from_when_it_was_added() -> None:
    async with asking() as session:
        await asyncio.sleep(30)
        session.nexus.faults.add(BAD, seconds=60)
        await asyncio.sleep(59)
        assert await outcomes(session, 2) == "FF"
        await asyncio.sleep(1)
        assert await outcomes(session, 1) == "."


@virtual
async def test_seconds_of_a_fault_that_was_there_before_are_counted_from_the_start() -> None:
    nexus = LocalNexus()
    nexus.faults.add(BAD, seconds=60)
    async with nexus, client_for(nexus, attempts=1) as client:
        await asyncio.sleep(59)
        assert isinstance((await asyncio.gather(client.get_info(), return_exceptions=True))[0], Exception)
        await asyncio.sleep(1)
        assert (await client.get_info()).name


@virtual
async def test_a_script_is_played_once() -> None:
    async with asking() as session:
        rule = session.nexus.faults.script([BAD, None, BAD, BAD], on="get")
        await session.kill()
        assert await outcomes(session, 8) == "F.FF...."
        assert rule.struck == 3


@virtual
async def test_a_fault_ends_with_its_block_and_no_other_does() -> None:
    async with asking() as session:
        session.nexus.faults.add(BAD, every=2)
        with session.nexus.faults.add(BAD) as rule:
            assert await outcomes(session, 3) == "FFF"
        assert await outcomes(session, 3) == "F.F"
        rule.remove()
        assert await outcomes(session, 1) == "."


@virtual
async def test_all_faults_can_be_cleared() -> None:
    async with asking() as session:
        session.nexus.faults.add(BAD)
        session.nexus.faults.add(Fault.latency(1))
        session.nexus.faults.clear()
        assert await outcomes(session, 3) == "..."


@virtual
async def test_of_two_that_answer_in_its_place_the_first_added_does() -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.refuse(404), times=1)
        session.nexus.faults.add(Fault.html(502))
        assert [(await session.get())[0].status for _ in range(2)] == [404, 502]


@virtual
async def test_a_change_an_etag_and_a_trickle_go_together_in_whatever_order_they_were_added() -> None:
    for faults in ([Fault.trickle(10), Fault.etag(), Fault.changed_body(bytes.upper)],) * 2:
        async with asking() as session:
            for fault in faults:
                session.nexus.faults.add(fault)
            begun = asyncio.get_running_loop().time()
            answer, body = await session.get()
            assert asyncio.get_running_loop().time() - begun == pytest.approx(len(body) / 10)
            assert body.isupper()
            assert "ETag" in answer.headers
        faults.reverse()


@virtual
async def test_a_server_that_starts_again_still_has_its_faults() -> None:
    async with asking() as session:
        session.nexus.faults.add(BAD)
        await session.nexus.close()
        await session.nexus.start()
        assert await outcomes(session, 1) == "F"


@pytest.mark.parametrize(
    "when", [{"chance": 0}, {"chance": 1.5}, {"times": 0}, {"every": 0}, {"skip": -1}, {"seconds": 0}]
)
def test_a_condition_that_makes_no_sense_is_refused_by_name(when: Any) -> None:
    [(name, value)] = when.items()
    with pytest.raises(InvalidArgumentError, match=f"{name}={value} must"):
        LocalNexus().faults.add(BAD, **when)


def test_what_is_no_fault_is_refused() -> None:
    no_fault: Any = 503
    with pytest.raises(InvalidArgumentError, match="503 is no fault"):
        LocalNexus().faults.add(no_fault)
    with pytest.raises(InvalidArgumentError, match="503 is no fault"):
        LocalNexus().faults.script([None, no_fault])
