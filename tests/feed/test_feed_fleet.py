"""A feed over a fleet: nothing is lost or doubled of ten thousand runs, and a seed decides all of it."""

from __future__ import annotations

import asyncio
import os
import sys
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from faulty_nexus import ends, entries, of_kind, on_logs_of, other_body, serving, steps, until, within

from nexus_async import Checkpoint, FixedInterval, FollowFailed, LogReset, RunAdded, RunEnded
from nexus_async.local import CurveTrainer, LocalNexus
from nexus_async.testing import client_for, run_in_virtual_time

if TYPE_CHECKING:
    from faulty_nexus import FaultyNexus

    from nexus_async import Event, Project
    from nexus_async.local import LocalRun

RUNS = 10_000
STEPS = 2
EVERY_5_S = FixedInterval(5.0, jitter=0.0)
FOLDER = Path(__file__).parent


class Tally:
    """Count what is told of each run, without keeping it."""

    def __init__(self) -> None:
        self.steps: dict[str, array[int]] = {}
        self.added: set[str] = set()
        self.ended: set[str] = set()
        self.strays: list[Event] = []
        """What must not come: of a run that is over or was not added, twice, or of no kind expected."""

    def take(self, event: Event) -> None:
        match event:
            case RunAdded() if event.run_id not in self.added:
                self.added.add(event.run_id)
            case RunEnded() if event.run_id in self.added - self.ended and event.drained:
                self.ended.add(event.run_id)
            case Checkpoint() if event.run_id in self.added and event.run_id not in self.ended:
                self.steps.setdefault(event.run_id, array("l")).append(event.step)
            case RunAdded() | RunEnded() | Checkpoint() | FollowFailed() | LogReset():
                self.strays.append(event)


async def follow_ten_thousand() -> tuple[Tally, set[str]]:
    async with (
        LocalNexus(CurveTrainer(steps=STEPS, interval=20.0, metrics=["totalLoss"]), max_runs=RUNS) as nexus,
        client_for(nexus, requests_per_second=100) as client,
    ):
        for _ in range(RUNS):
            nexus.start_run()
        tally, project = Tally(), client.get_project(nexus.project_id)
        pacing = FixedInterval(120.0, jitter=0.0)
        async with project.runs.watch(stop_when_all_ended=True, pacing=pacing) as feed:
            async for event in feed:
                tally.take(event)
        return tally, set(nexus.runs)


def test_ten_thousand_runs_are_told_once_in_order_and_to_their_ends() -> None:
    tally, run_ids = run_in_virtual_time(follow_ten_thousand)
    assert tally.strays == []
    assert tally.ended == run_ids
    assert {run_id for run_id, told in tally.steps.items() if list(told) == [1, 2]} == run_ids


async def digest_with(hash_seed: str) -> bytes:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(FOLDER / "fleet_digest.py"),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    digest, _ = await process.communicate()
    assert process.returncode == 0
    return digest


async def test_the_same_seed_gives_the_same_requests_and_events_in_every_process() -> None:
    first, second = await asyncio.gather(digest_with("1"), digest_with("2"))
    assert first == second
    assert int(first.split()[1]) > 700


def log_of(run: LocalRun, told: list[int], *, loss: float = 0.5) -> bytes:
    entry = [{"ev": "trainingCheckpoint", "t": step, "pl": {"step": step, "totalLoss": loss}} for step in told]
    return msgspec.json.encode({"id": run.log_ids[0], "logs": entry})


def serve(nexus: FaultyNexus, run: LocalRun, body: bytes) -> None:
    nexus.fault = on_logs_of(run, other_body(lambda _: body))


async def followed_through(
    nexus: FaultyNexus, project: Project, *bodies: tuple[list[int], float]
) -> tuple[list[LogReset], list[int]]:
    """Follow a run whose log has ten entries, and then is another and another; return what comes after the ten."""
    run = nexus.start_run()
    run.begin()
    serve(nexus, run, log_of(run, list(range(10))))
    events: list[Event] = []
    async with project.runs.watch(pacing=EVERY_5_S) as feed:
        await within(feed, 60)
        for told, loss in bodies:
            serve(nexus, run, log_of(run, told, loss=loss))
            events += await within(feed, 60)
    assert of_kind(FollowFailed, events) == []
    return of_kind(LogReset, events), steps(events).get(run.id, [])


virtual = pytest.mark.virtual_time


@virtual
@pytest.mark.parametrize(
    ("bodies", "told"),
    [
        pytest.param([(list(range(4, 10)), 0.5)], [], id="cut at the front"),
        pytest.param([(list(range(4, 12)), 0.5)], [10, 11], id="cut at the front and grown"),
        pytest.param([(list(range(5)), 0.7)], [0, 1, 2, 3, 4], id="replaced by a shorter one"),
        pytest.param([(list(range(12)), 0.7)], list(range(12)), id="replaced by a longer one"),
        pytest.param([(list(range(10)), 0.7)], list(range(10)), id="rewritten"),
        pytest.param([([], 0.5)], [], id="emptied"),
    ],
)
async def test_a_log_that_is_not_what_was_read_is_told_as_reset_and_then_all_that_is_there(
    bodies: list[tuple[list[int], float]], told: list[int]
) -> None:
    async with serving() as (nexus, project):
        resets, after = await followed_through(nexus, project, *bodies)
    assert [reset.read for reset in resets] == [10]
    assert after == told


@virtual
async def test_a_log_that_was_emptied_is_told_from_its_first_entry_when_it_grows() -> None:
    async with serving() as (nexus, project):
        resets, after = await followed_through(nexus, project, ([], 0.5), (list(range(20, 25)), 0.5))
    assert len(resets) == 1
    assert after == [20, 21, 22, 23, 24]


@virtual
async def test_a_reset_tells_how_much_was_found_again_and_where_reading_goes_on() -> None:
    async with serving() as (nexus, project):
        [reset], _ = await followed_through(nexus, project, (list(range(4, 12)), 0.5))
    assert (reset.recognized, reset.resumes_at) == (6, 6)


@virtual
async def test_indices_go_on_after_a_reset_so_that_no_id_comes_twice() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        run.begin()
        serve(nexus, run, log_of(run, [0, 1, 2]))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            events = await within(feed, 60)
            serve(nexus, run, log_of(run, []))
            events += await within(feed, 60)
            serve(nexus, run, log_of(run, [0, 1, 2]))
            events += await within(feed, 60)
    assert [event.index for event in of_kind(Checkpoint, events)] == [0, 1, 2, 3, 4, 5]
    assert len(set(entries(events))) == 6


@virtual
async def test_every_log_of_a_run_is_told_in_its_own_order() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        for step in range(3):
            run.checkpoint(step=step)
        async with project.runs.watch(pacing=EVERY_5_S, stop_when_all_ended=True) as feed:
            events = await within(feed, 60)
            run.open_log()
            for step in range(3, 6):
                run.checkpoint(step=step)
            events += await within(feed, 60)
            run.finish()
            events += await within(feed, 60)
        first, second = run.log_ids
    told: dict[str, list[Any]] = {}
    for event in of_kind(Checkpoint, events):
        told.setdefault(event.log_id, []).append((event.index, event.step))
    assert told == {first: [(0, 0), (1, 1), (2, 2)], second: [(0, 3), (1, 4), (2, 5)]}
    assert ends(events) == {run.id: 1}


@virtual
async def test_a_reset_of_one_log_leaves_the_other_as_it_is() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        run.checkpoint(step=0)
        run.open_log()
        run.checkpoint(step=1)
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await until(feed, lambda event: isinstance(event, Checkpoint) and event.step == 1)
            serve(nexus, run, log_of(run, [7, 8]))
            run.checkpoint(step=2)
            events = await within(feed, 60)
    assert [reset.log_id for reset in of_kind(LogReset, events)] == [run.log_ids[0]]
    assert sorted(steps(events)[run.id]) == [2, 7, 8]


@virtual
async def test_a_log_that_is_reset_at_the_end_of_a_run_is_told_before_the_end() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        for step in range(3):
            run.checkpoint(step=step)
        async with project.runs.watch(pacing=EVERY_5_S, stop_when_all_ended=True) as feed:
            events = await within(feed, 60)
            serve(nexus, run, log_of(run, [7, 8]))
            run.finish()
            events += [event async for event in feed]
    assert isinstance(events[-1], RunEnded)
    assert len(of_kind(LogReset, events)) == 1
    assert steps(events) == {run.id: [0, 1, 2, 7, 8]}
