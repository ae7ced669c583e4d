"""Looking for the run of a start whose outcome is unknown: none is lost, and none is guessed."""

from __future__ import annotations

import asyncio
import pickle
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import ANY, RUN, SETUP, drops, get_run, says, serving, start_run

from nexus_async import ConnectionLostError, InvalidArgumentError, OutcomeUnknownError, Project

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scripted_api import ScriptedApi, Step

pytestmark = pytest.mark.virtual_time

HOUR = 3600.0
EPOCH = 1_705_466_384.0
"""Seconds since the Unix epoch when the loop's clock is at 0, by the client's clock."""


def clock() -> float:
    return EPOCH + asyncio.get_running_loop().time()


def run_at(seconds: float, run_id: str = "run_1", *, flow_id: str = "flow_1") -> dict[str, Any]:
    """Make a run that was created so long after `EPOCH`, by the server's clock."""
    return {**RUN, "id": run_id, "flowId": flow_id, "createDate": round((EPOCH + seconds) * 1000)}


def dated(seconds: float) -> Mapping[str, str]:
    """Tell the server's time, so long after `EPOCH`."""
    return {"Date": formatdate(EPOCH + seconds, usegmt=True)}


def of(api: ScriptedApi) -> Project:
    return api.client(clock=clock).get_project("proj_1")


async def failed_start(project: Project) -> OutcomeUnknownError:
    with pytest.raises(OutcomeUnknownError) as caught:
        await start_run(project)
    return caught.value


async def found(*steps: Step) -> list[str]:
    """Read a run, start one in vain, and tell which are found."""
    async with serving(*steps) as api, of(api) as project:
        await get_run(project)
        await asyncio.sleep(60)
        error = await failed_start(project)
        return [run.id for run in await project.runs.find_started(error)]


async def test_an_error_of_a_start_tells_what_was_started_and_when() -> None:
    async with serving(says(headers=dated(5)), drops) as api, of(api) as project:
        await get_run(project)
        await asyncio.sleep(60)
        error = await failed_start(project)
    assert (error.project_id, error.flow_id, error.sent_at) == ("proj_1", "flow_1", EPOCH + 60)
    assert error.sent_after == EPOCH + 65
    assert isinstance(error.reason, ConnectionLostError)


async def test_the_run_that_was_started_is_found() -> None:
    runs = [run_at(-HOUR, "run_before"), run_at(60, "run_started")]
    assert await found(says(headers=dated(0)), says(502, headers=dated(60)), says(200, runs)) == ["run_started"]


async def test_where_none_was_started_none_is_found() -> None:
    assert await found(says(), says(502), says(200, [run_at(-HOUR)])) == []


@pytest.mark.parametrize("name", ["createDate", "flowId"])
async def test_a_run_that_leaves_out_what_would_tell_it_apart_is_given(name: str) -> None:
    odd = {key: value for key, value in run_at(60).items() if key != name}
    assert await found(says(headers=dated(0)), drops, says(200, [odd])) == ["run_1"]


async def test_a_run_of_another_workflow_is_another_run() -> None:
    assert await found(says(), drops, says(200, [run_at(60, flow_id="flow_2")])) == []


async def test_runs_that_cannot_be_told_apart_are_all_given_oldest_first() -> None:
    runs = [run_at(61, "run_2"), run_at(60, "run_1"), run_at(62, "run_3")]
    assert await found(says(headers=dated(0)), drops, says(200, runs)) == ["run_1", "run_2", "run_3"]


@pytest.mark.parametrize(
    ("known", "skew"),
    [
        *[(known, skew) for known in ("before", "after") for skew in (-2 * HOUR, -1.0, 0.0, 1.0, 2 * HOUR)],
        *[("never", skew) for skew in (-200.0, 0.0, 200.0)],
    ],
)
async def test_a_skewed_clock_of_the_server_loses_no_run_and_takes_no_old_one(skew: float, known: str) -> None:
    runs = [run_at(skew - HOUR, "run_before"), run_at(skew + 60.5, "run_started")]
    told: Mapping[str, str] = dated(skew)
    first = says(headers=told if known == "before" else {"Date": "none"})
    listed = says(200, runs, headers={"Date": "none"} if known == "never" else dated(skew + 61))
    assert await found(first, drops, listed) == ["run_started"]


@pytest.mark.parametrize(("told", "margin"), [({"Date": "none"}, 300), (dated(0), 10)], ids=["unknown", "known"])
async def test_the_clocks_of_a_server_may_differ_by_a_margin(told: Mapping[str, str], margin: int) -> None:
    runs = [run_at(60 - margin + 1, "run_started"), run_at(60 - margin - 1, "run_before")]
    listed = says(200, runs, headers={"Date": "none"})
    assert await found(says(headers=told), drops, listed) == ["run_started"]


async def test_runs_whose_start_was_answered_are_not_the_one() -> None:
    runs = [run_at(0, "run_1"), run_at(1, "run_lost")]
    answered = says(201, {**ANY, **run_at(0, "run_1")}, headers=dated(0))
    async with serving(answered, drops, says(200, runs)) as api, of(api) as project:
        assert (await project.runs.start("flow_1", SETUP)).id == "run_1"
        error = await failed_start(project)
        assert [run.id for run in await project.runs.find_started(error)] == ["run_lost"]


async def test_an_error_from_another_process_finds_the_run_too() -> None:
    async with serving(says(headers=dated(0)), drops, says(200, [run_at(0)])) as api, of(api) as project:
        await get_run(project)
        error = pickle.loads(pickle.dumps(await failed_start(project)))
        async with of(api) as other:
            assert [run.id for run in await other.runs.find_started(error)] == ["run_1"]


async def test_an_error_of_another_project_is_refused() -> None:
    async with serving(drops) as api, of(api) as project:
        error = await failed_start(project)
        with pytest.raises(InvalidArgumentError, match=r"started in proj_1, and this is proj_2"):
            await api.client().get_project("proj_2").runs.find_started(error)
        assert len(api.received) == 1


@pytest.mark.parametrize("error", [None, "run_1", ConnectionLostError("broke", method="GET", path="/x")])
async def test_what_is_no_open_outcome_is_refused(error: Any) -> None:
    async with serving(says()) as api, of(api) as project:
        with pytest.raises(InvalidArgumentError, match="pass the OutcomeUnknownError"):
            await project.runs.find_started(error)
        assert api.received == []


async def test_an_open_outcome_of_something_else_is_refused() -> None:
    async with serving(drops) as api, of(api) as project:
        with pytest.raises(OutcomeUnknownError) as caught:
            await project.request("POST", "/artifacts", json={})
        with pytest.raises(InvalidArgumentError, match="was to start no run"):
            await project.runs.find_started(caught.value)
