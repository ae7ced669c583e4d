"""Which runs are in a feed: found, asked for, taken by a filter, added and removed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import FaultyNexus, of_kind, serving, steps, within

from nexus_async import (
    Checkpoint,
    ConfigurationError,
    Event,
    FixedInterval,
    FollowFailed,
    InvalidArgumentError,
    Run,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    watch,
)
from nexus_async.local import LocalNexus, LocalProject, LocalWorkflow, ScriptedTrainer
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async import Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
PACE = FixedInterval(5.0, jitter=0.0)


def trained(nexus: FaultyNexus, count: int = 2, *, ends: bool = False) -> LocalRun:
    run = nexus.start_run()
    run.begin()
    for step in range(count):
        run.checkpoint(step=step)
    if ends:
        run.finish()
    return run


async def told(project: Project, *args: Any, seconds: float = 100.0, **options: Any) -> list[Event]:
    async with project.runs.watch(*args, **{"pacing": PACE, **options}) as feed:
        return await within(feed, seconds)


def runs_of(events: list[Event], kind: type[RunEvent] = RunAdded) -> list[str]:
    return [event.run_id for event in events if isinstance(event, kind)]


async def test_every_run_that_is_not_over_is_followed() -> None:
    async with serving() as (nexus, project):
        runs, _ = [trained(nexus), trained(nexus)], trained(nexus, ends=True)
        events = await told(project)
    assert steps(events) == {run.id: [0, 1] for run in runs}


async def test_a_project_with_400_ended_runs_is_watched_without_reading_a_log_of_theirs() -> None:
    async with serving() as (nexus, project):
        for _ in range(400):
            trained(nexus, ends=True)
        await asyncio.sleep(100)
        assert await told(project) == []
        assert nexus.count("log") == 0


async def test_ended_runs_are_replayed_where_they_are_asked_for() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, ends=True)
        await asyncio.sleep(100)
        events = await told(project, include_ended=True)
    assert steps(events) == {run.id: [0, 1]}
    assert runs_of(events, RunEnded) == [run.id]


async def test_a_later_run_joins() -> None:
    async with serving() as (nexus, project), project.runs.watch(pacing=PACE) as feed:
        assert await within(feed, 50) == []
        run = trained(nexus)
        assert steps(await within(feed, 50)) == {run.id: [0, 1]}


async def test_a_run_that_starts_and_ends_between_two_lists_is_told_to_its_end() -> None:
    async with serving() as (nexus, project), project.runs.watch(pacing=PACE) as feed:
        await within(feed, 35)
        run = trained(nexus, ends=True)
        events = await within(feed, 60)
    assert steps(events) == {run.id: [0, 1]}
    assert runs_of(events, RunEnded) == [run.id]


async def test_new_runs_are_looked_for_at_the_discovery_interval() -> None:
    async with serving() as (nexus, project), project.runs.watch(discovery_interval=300, pacing=PACE) as feed:
        await within(feed, 10)
        trained(nexus)
        assert await within(feed, 200) == []
        assert len(runs_of(await within(feed, 200))) == 1


@pytest.mark.parametrize("how", [list, tuple, iter])
async def test_only_runs_that_are_named_are_followed(how: Callable[[list[str]], Any]) -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus) for _ in range(3)]
        events = await told(project, how([runs[0].id, runs[2].id]))
    assert set(steps(events)) == {runs[0].id, runs[2].id}


async def test_one_run_is_named_without_a_list() -> None:
    async with serving() as (nexus, project):
        run, _ = trained(nexus), trained(nexus)
        assert set(steps(await told(project, run.id))) == {run.id}


async def test_a_run_that_is_named_is_followed_even_where_it_is_over() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, ends=True)
        await asyncio.sleep(100)
        assert runs_of(await told(project, [run.id]), RunEnded) == [run.id]


async def test_a_run_that_does_not_exist_is_told_as_failed_for_good() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        events = await told(project, ["run_nowhere", run.id])
    [failed] = of_kind(FollowFailed, events)
    assert (failed.run_id, failed.fatal) == ("run_nowhere", True)
    assert "404" in failed.error
    assert set(steps(events)) == {run.id}


@pytest.mark.parametrize("run_ids", [[""], ["runlog_1"], [None], ""])
async def test_what_is_no_runs_id_is_refused(run_ids: Any) -> None:
    async with serving() as (_, project):
        with pytest.raises(InvalidArgumentError, match=r"is no run's ID|is a log's ID"):
            project.runs.watch(run_ids)


async def test_a_run_whose_log_is_yet_to_come_stays_open() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 500)
            run.begin()
            run.checkpoint(step=7)
            assert steps(await within(feed, 50)) == {run.id: [7]}


async def test_a_log_that_appears_later_is_read_too() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            log_id = run.open_log()
            run.checkpoint(step=9)
            events = await within(feed, 50)
    assert [(event.log_id, event.step) for event in of_kind(Checkpoint, events)] == [(log_id, 9)]


async def test_where_takes_runs_by_what_they_are() -> None:
    async with serving() as (nexus, project):
        runs = [trained(nexus), trained(nexus)]
        events = await told(project, where=lambda run: run.id == runs[1].id)
    assert set(steps(events)) == {runs[1].id}


async def test_a_run_that_begins_to_fit_joins() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        async with project.runs.watch(pacing=PACE, where=lambda run: run.status.overview == "Running") as feed:
            assert await within(feed, 50) == []
            run.begin()
            run.checkpoint(step=1)
            assert steps(await within(feed, 50)) == {run.id: [1]}


async def test_a_run_that_does_not_fit_any_longer_leaves() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE, where=lambda run: run.status.overview == "Running") as feed:
            await within(feed, 50)
            run.fail("no")
            assert runs_of(await within(feed, 50), RunRemoved) == [run.id]
            assert nexus.count("log", after=nexus.asked[-1].at) == 0


async def test_where_is_asked_at_changes_of_status_alone() -> None:
    asked = []

    def fits(run: Run) -> bool:
        asked.append(run.status.overview)
        return True

    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE, where=fits) as feed:
            await within(feed, 300)
            run.finish()
            await within(feed, 100)
    assert asked == ["Running", "Finished"]


async def test_a_run_is_added_by_its_id() -> None:
    async with serving() as (nexus, project):
        run, late = trained(nexus), trained(nexus)
        async with project.runs.watch([run.id], pacing=PACE) as feed:
            await within(feed, 50)
            feed.add(late.id)
            assert steps(await within(feed, 5)) == {late.id: [0, 1]}


async def test_a_run_that_is_over_can_be_added() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus, ends=True)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 100)
            feed.add(run.id)
            assert runs_of(await within(feed, 50), RunEnded) == [run.id]


async def test_a_run_that_is_removed_is_told_so_and_asked_for_no_more() -> None:
    async with serving() as (nexus, project):
        run, other = trained(nexus), trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            await feed.remove(run.id)
            run.checkpoint(step=9)
            other.checkpoint(step=9)
            events = await within(feed, 100)
    assert runs_of(events, RunRemoved) == [run.id]
    assert steps(events) == {other.id: [9]}


async def test_a_run_that_is_removed_and_added_again_goes_on_from_its_first_entry() -> None:
    async with serving() as (nexus, project):
        run = trained(nexus)
        async with project.runs.watch(pacing=PACE) as feed:
            await within(feed, 50)
            await feed.remove(run.id)
            feed.add(run.id)
            assert steps(await within(feed, 100)) == {run.id: [0, 1]}


async def test_removing_a_run_that_is_not_followed_is_refused() -> None:
    async with serving() as (_, project), project.runs.watch() as feed:
        with pytest.raises(InvalidArgumentError, match="run_1 is not followed"):
            await feed.remove("run_1")


async def test_adding_what_is_no_runs_id_is_refused() -> None:
    async with serving() as (_, project), project.runs.watch() as feed:
        with pytest.raises(InvalidArgumentError, match="is no run's ID"):
            feed.add("")


def two_projects() -> list[LocalProject]:
    return [LocalProject(name=name, workflows=[LocalWorkflow(title="flow")]) for name in ("one", "two")]


async def test_projects_of_one_client_are_watched_with_their_labels() -> None:
    async with LocalNexus(ScriptedTrainer(), projects=two_projects()) as nexus, client_for(nexus) as client:
        ids = [project.id for project in nexus.projects]
        for project_id in ids:
            nexus.start_run(project_id=project_id).begin()
        labels = {"first": client.get_project(ids[0]), "second": client.get_project(ids[1])}
        async with watch(labels, pacing=PACE) as feed:
            events = await within(feed, 50)
    assert {(event.label, event.project_id) for event in of_kind(RunAdded, events)} == {
        ("first", ids[0]),
        ("second", ids[1]),
    }


async def test_a_run_is_added_to_the_project_that_is_named() -> None:
    async with LocalNexus(ScriptedTrainer(), projects=two_projects()) as nexus, client_for(nexus) as client:
        ids = [project.id for project in nexus.projects]
        run = nexus.start_run(project_id=ids[1])
        run.finish()
        await asyncio.sleep(100)
        async with watch(*(client.get_project(each) for each in ids), pacing=PACE) as feed:
            with pytest.raises(InvalidArgumentError, match="several projects are watched: pass project_id="):
                feed.add(run.id)
            feed.add(run.id, project_id=ids[1])
            assert runs_of(await within(feed, 50), RunEnded) == [run.id]


async def test_projects_of_clients_with_keys_of_their_own_are_watched_in_one_feed() -> None:
    async with (
        LocalNexus(ScriptedTrainer(), seed=1, secret_key="one") as one,
        LocalNexus(ScriptedTrainer(), seed=2, secret_key="two") as two,
        client_for(one) as client,
        client_for(two) as other,
    ):
        runs = [nexus.start_run() for nexus in (one, two)]
        for run in runs:
            run.begin()
            run.checkpoint(step=1)
        async with watch(
            client.get_project(one.project_id), other.get_project(two.project_id), pacing=PACE
        ) as feed:
            assert steps(await within(feed, 50)) == {run.id: [1] for run in runs}


async def test_no_project_and_one_that_is_there_twice_are_refused() -> None:
    async with serving() as (_, project):
        with pytest.raises(InvalidArgumentError, match="no project to watch"):
            watch()
        with pytest.raises(InvalidArgumentError, match="can be watched once in a feed"):
            watch(project, {"again": project})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", "soon"),
        ("ack", "never"),
        ("since", "monday"),
        ("tail", -1),
        ("where", 7),
        ("buffer", 0),
        ("discovery_interval", 0.0),
        ("settle", -1.0),
        ("drain_timeout", float("nan")),
        ("cursors", "nxc1.x"),
    ],
)
async def test_what_makes_no_sense_is_refused_by_its_name(name: str, value: Any) -> None:
    async with serving() as (_, project):
        with pytest.raises(ConfigurationError, match=name):
            project.runs.watch(**{name: value})
