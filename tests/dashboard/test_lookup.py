"""What pages ask of Nexus is asked once for all of them, and kept for a while."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest
from dashboard_pieces import CLASSES

from nexus_async import InvalidArgumentError, RunConfusionMatrix, StatusError
from nexus_async.dashboard import lookup as module
from nexus_async.dashboard.lookup import FRESH, Lookup, matrices_written

if TYPE_CHECKING:
    from nexus_async import Project
    from nexus_async.local import LocalNexus, LocalRun

pytestmark = pytest.mark.virtual_time


def evaluated(nexus: LocalNexus, *steps: int) -> LocalRun:
    run = nexus.start_run()
    for step in steps:
        run.evaluate(step, CLASSES, [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    return run


async def count_of(lookup: Lookup, run: LocalRun) -> int:
    return len(json.loads(await lookup.matrices(run.project_id, run.id)))


async def test_an_answer_is_kept_until_it_is_old(local_nexus: LocalNexus, project: Project) -> None:
    run, lookup = evaluated(local_nexus, 1), Lookup([project])
    assert await count_of(lookup, run) == 1
    run.evaluate(2, CLASSES, [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert await count_of(lookup, run) == 1
    await asyncio.sleep(FRESH)
    assert await count_of(lookup, run) == 2


async def test_a_failure_is_not_kept(local_nexus: LocalNexus, project: Project) -> None:
    run, lookup = evaluated(local_nexus, 1), Lookup([project])
    local_nexus.faults.add_text("any:403")
    with pytest.raises(StatusError):
        await lookup.matrices(project.id, run.id)
    local_nexus.faults.clear()
    assert await count_of(lookup, run) == 1


async def test_one_who_goes_away_takes_the_answer_from_nobody(local_nexus: LocalNexus, project: Project) -> None:
    run, lookup = evaluated(local_nexus, 1), Lookup([project])
    first, second = (asyncio.create_task(count_of(lookup, run)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1


async def test_no_more_answers_are_kept_than_there_is_room_for(
    local_nexus: LocalNexus, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ANSWERS", 2)
    lookup = Lookup([project])
    for _ in range(5):
        await count_of(lookup, evaluated(local_nexus, 1))
    assert len(lookup._answers) == 2


async def test_titles_are_those_of_now_when_they_are_old(project: Project) -> None:
    lookup = Lookup([project])
    [flow, *_] = await project.workflows.list()
    assert json.loads(await lookup.titles())["flows"][flow.id] == flow.title
    await project.workflows.update(flow.id, {"title": "Another"})
    await asyncio.sleep(FRESH)
    assert json.loads(await lookup.titles())["flows"][flow.id] == "Another"


async def test_a_project_that_is_none_of_its_own_is_refused(project: Project) -> None:
    with pytest.raises(InvalidArgumentError, match=f"which are {project.id}"):
        await Lookup([project]).matrices("proj_1", "run_1")
    with pytest.raises(InvalidArgumentError, match="pass projects= to Dashboard"):
        await Lookup([]).kill("proj_1", "run_1")


def test_matrices_that_make_no_sense_are_none() -> None:
    assert matrices_written(RunConfusionMatrix(data="[")) == []
