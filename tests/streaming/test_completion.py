"""Waiting for runs to end, by their status alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from nexus_async import InvalidArgumentError, NotFoundError, OutageError, RunFailedError, WaitTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus, LocalRun

pytestmark = pytest.mark.virtual_time


def later(delay: float, what: Callable[[], object]) -> None:
    asyncio.get_running_loop().call_later(delay, what)


@pytest_asyncio.fixture
async def runs(local_nexus: LocalNexus) -> list[LocalRun]:
    return [local_nexus.start_run() for _ in range(3)]


@pytest.fixture
def asked(nexus_client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write down the paths that are asked for."""
    paths: list[str] = []
    transport = nexus_client._requester._transport
    send = transport.send

    async def noted(request: object, **options: object) -> object:
        paths.append(request.path)  # type: ignore[attr-defined]  # a Request
        return await send(request, **options)  # type: ignore[arg-type]  # a Request

    monkeypatch.setattr(transport, "send", noted)
    return paths


async def test_one_id_gives_its_run_when_it_is_over(project: Project, runs: list[LocalRun]) -> None:
    later(100, runs[0].finish)
    run = await project.runs.wait(runs[0].id)
    assert (run.id, run.status.overview) == (runs[0].id, "Finished")
    assert 100 <= asyncio.get_running_loop().time() < 110


async def test_several_ids_give_a_list_in_their_order(project: Project, runs: list[LocalRun]) -> None:
    for delay, run in zip((30, 10, 20), runs, strict=True):
        later(delay, run.finish)
    ids = [run.id for run in runs]
    assert [run.id for run in await project.runs.wait([*ids, ids[0]])] == [*ids, ids[0]]


async def test_runs_are_yielded_as_they_end(project: Project, runs: list[LocalRun]) -> None:
    for delay, run in zip((300, 100, 200), runs, strict=True):
        later(delay, run.finish)
    ended = [run.id async for run in project.runs.as_completed([run.id for run in runs])]
    assert ended == [runs[1].id, runs[2].id, runs[0].id]


async def test_no_run_is_waited_for_without_an_id(project: Project) -> None:
    assert await project.runs.wait([]) == []


async def test_running_out_of_time_tells_the_statuses_so_far(project: Project, runs: list[LocalRun]) -> None:
    runs[0].finish()
    runs[1].begin()
    with pytest.raises(WaitTimeoutError) as caught:
        await project.runs.wait([run.id for run in runs], timeout=60)
    assert caught.value.statuses == {runs[1].id: "Running", runs[2].id: "Creating"}
    assert asyncio.get_running_loop().time() == pytest.approx(60, abs=0.1)


async def test_the_time_of_as_completed_runs_over_all_of_them(project: Project, runs: list[LocalRun]) -> None:
    later(50, runs[0].finish)
    completions = project.runs.as_completed([run.id for run in runs], timeout=60)
    assert (await anext(completions)).id == runs[0].id
    with pytest.raises(WaitTimeoutError, match="not over after 60 s"):
        await anext(completions)


async def test_a_failed_run_is_a_result_unless_it_is_asked_to_raise(
    project: Project, runs: list[LocalRun]
) -> None:
    runs[0].fail("out of memory")
    assert (await project.runs.wait(runs[0].id)).status.overview == "Errored"
    with pytest.raises(RunFailedError, match="is Errored: out of memory"):
        await project.runs.wait([run.id for run in runs], raise_on_failure=True)


async def test_a_run_that_vanished_raises(project: Project, runs: list[LocalRun]) -> None:
    with pytest.raises(NotFoundError):
        await project.runs.wait([runs[0].id, runs[1].id, "run_gone"])
    with pytest.raises(NotFoundError):
        await project.runs.wait("run_gone")


async def test_only_the_status_is_asked_for(project: Project, runs: list[LocalRun], asked: list[str]) -> None:
    runs[0].checkpoint(step=1)
    later(60, runs[0].finish)
    await project.runs.wait(runs[0].id)
    assert {path.rpartition("/")[2] for path in asked} == {runs[0].id}


async def test_the_list_is_asked_for_where_that_moves_fewer_bytes(
    local_nexus: LocalNexus, project: Project, runs: list[LocalRun], asked: list[str]
) -> None:
    for run in runs:
        later(60, run.finish)
    await project.runs.wait([run.id for run in runs])
    assert {path.rpartition("/")[2] for path in asked} == {"runs"}
    asked.clear()
    later(60, (new := local_nexus.start_run()).finish)
    later(60, (newer := local_nexus.start_run()).finish)
    await project.runs.wait([new.id, newer.id])
    assert [path.rpartition("/")[2] for path in asked[:3]] == ["runs", new.id, newer.id]


async def test_waiting_rides_out_an_outage(
    local_nexus: LocalNexus, project: Project, runs: list[LocalRun]
) -> None:
    waiting = asyncio.create_task(project.runs.wait(runs[0].id))
    await asyncio.sleep(10)
    await local_nexus.close()
    await asyncio.sleep(200)
    await local_nexus.start()
    runs[0].finish()
    assert (await waiting).status.overview == "Finished"


async def test_an_api_that_stays_down_ends_the_waiting(
    local_nexus: LocalNexus, project: Project, runs: list[LocalRun]
) -> None:
    await local_nexus.close()
    with pytest.raises(OutageError, match=r"no answer for 3\d\d s"):
        await project.runs.wait(runs[0].id)


async def test_a_wait_that_is_cancelled_cancels_nothing_else(project: Project, runs: list[LocalRun]) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(project.runs.wait(runs[0].id), 60)
    assert (await project.runs.get(runs[0].id)).status.overview == "Creating"


async def test_a_cancelled_anext_loses_no_run(project: Project, runs: list[LocalRun]) -> None:
    ids = [run.id for run in runs]
    for run in runs:
        run.finish()
    for turns in range(40):
        completions = project.runs.as_completed(ids)
        waiting = asyncio.create_task(anext(completions))
        for _ in range(turns):
            await asyncio.sleep(0)
        waiting.cancel()
        [first] = await asyncio.gather(waiting, return_exceptions=True)
        seen = [] if isinstance(first, BaseException) else [first.id]
        assert seen + [run.id async for run in completions] == ids


@pytest.mark.parametrize("run_id", ["", None, "runlog_x"])
async def test_what_is_no_runs_id_is_refused(project: Project, run_id: str) -> None:
    with pytest.raises(InvalidArgumentError):
        await project.runs.wait([run_id])
