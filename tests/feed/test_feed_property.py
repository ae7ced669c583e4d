"""Whatever runs do and however a feed is read, left and begun again, nothing is lost and nothing comes out of order."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from random import Random
from typing import TYPE_CHECKING, Any

import pytest
from faulty_nexus import later, serving

from nexus_async import (
    Checkpoint,
    Event,
    FixedInterval,
    MemoryStore,
    RunAdded,
    RunEnded,
    RunEvent,
    StatusChanged,
)

if TYPE_CHECKING:
    from faulty_nexus import FaultyNexus

    from nexus_async import Feed, Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time
SEEDS = 60


class CrashError(Exception):
    """End a session as a bug in its consumer would."""


async def train(run: LocalRun, chance: Random) -> None:
    """Do what runs do, and odd things that they may do."""
    await asyncio.sleep(chance.uniform(0, 60))
    run.begin()
    step = 0
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(chance.uniform(0, 40))
        if chance.random() < 0.3:
            run.open_log()
        for _ in range(chance.randrange(1, 6)):
            run.checkpoint(step := step + 1)
        if chance.random() < 0.2:
            run.finish()
            await asyncio.sleep(chance.uniform(0, 1.0))
            run.overview, run._encoded, run.update_date = "Running", None, run._now()
            run._over.clear()
    await asyncio.sleep(chance.uniform(0, 20))
    chance.choice([run.finish, run.cancel, lambda: run.fail("no")])()
    await asyncio.sleep(chance.uniform(0, 1.5))
    for _ in range(chance.randrange(3)):
        run.checkpoint(step := step + 1)


async def work(nexus: FaultyNexus, chance: Random) -> None:
    trainings = []
    for _ in range(chance.randrange(1, 5)):
        trainings.append(asyncio.create_task(train(nexus.start_run(), chance)))
        await asyncio.sleep(chance.choice([0.0, chance.uniform(0, 60)]))
    await asyncio.wait(trainings)


class Consumer:
    """Read sessions of feeds in all manners; each ends well, or in a crash."""

    def __init__(self, project: Project, chance: Random, options: dict[str, Any]) -> None:
        self.sessions: list[list[Event]] = []
        self.in_hand: set[str] = set()
        """IDs of the events that a session crashed with."""
        self.known: set[str] = set()
        """Runs of which something was handled: a store has them."""
        self._project = project
        self._chance = chance
        self._options = options

    async def session(self, *, is_last: bool) -> None:
        told: list[Event] = []
        self.sessions.append(told)
        crash_after = None if is_last else self._chance.randrange(1, 12)
        with suppress(CrashError):
            async with self._project.runs.watch(**self._options, stop_when_all_ended=is_last) as feed:
                if not is_last:
                    later(self._chance.uniform(0, 200), feed.stop)
                while batch := await self._next(feed):
                    told += batch
                    await self._dawdle()
                    is_over = crash_after is not None and len(told) >= crash_after
                    if is_over and self._chance.random() < 0.5:
                        self.in_hand |= {event.id for event in batch}
                        raise CrashError
                    self.known |= {event.run_id for event in batch if isinstance(event, RunEvent)}
                    if is_over:
                        break

    async def _next(self, feed: Feed) -> list[Event]:
        is_patient = self._chance.random() < 0.5
        while True:
            try:
                async with asyncio.timeout(None if is_patient else self._chance.uniform(0, 5)):
                    if self._chance.random() < 0.5:
                        return [await anext(feed)]
                    size = self._chance.randrange(1, 6)
                    return await anext(feed.batches(size, self._chance.uniform(0.1, 9)))
            except TimeoutError:
                continue
            except StopAsyncIteration:
                return []

    async def _dawdle(self) -> None:
        if self._chance.random() < 0.2:
            await asyncio.sleep(self._chance.choice([0.0, self._chance.uniform(0, 30)]))


def of_kind(kind: type[RunEvent], events: list[Event]) -> list[RunEvent]:
    return [event for event in events if isinstance(event, kind)]


def check(nexus: FaultyNexus, consumer: Consumer) -> None:
    told = [event for session in consumer.sessions for event in session]
    steps = {run_id: set[int]() for run_id in consumer.known}
    for event in told:
        if isinstance(event, Checkpoint) and event.run_id in consumer.known:
            steps[event.run_id].add(event.step)
    assert steps == {run_id: set(range(1, nexus.run(run_id).steps_seen + 1)) for run_id in steps}, "lost"
    counts = Counter(event.id for event in told)
    assert {each for each, count in counts.items() if count > 1} <= consumer.in_hand, "told again"
    assert {event.run_id for event in of_kind(RunEnded, told)} == consumer.known, "no end"
    assert {event.run_id for event in of_kind(RunAdded, told)} >= consumer.known, "not added"
    status: dict[str, str] = {}
    for event in told:
        if isinstance(event, (RunAdded, StatusChanged)):
            status[event.run_id] = event.run.status.overview
        if isinstance(event, RunEnded):
            assert event.outcome == status[event.run_id], "a status is lost"
    for session in consumer.sessions:
        for run_id in nexus.runs:
            own = [event for event in session if isinstance(event, RunEvent) and event.run_id == run_id]
            seen = [event.step for event in own if isinstance(event, Checkpoint)]
            assert seen == sorted(set(seen)), "out of order"
            assert not of_kind(RunEnded, list(own[:-1])), "not last"


async def scenario(seed: int) -> None:
    chance = Random(seed)
    async with serving(max_in_flight=chance.choice([1, 32])) as (nexus, project):
        working = asyncio.create_task(work(nexus, chance))
        options = {
            "store": MemoryStore(),
            "buffer": chance.choice([1, 2, 10, 1000]),
            "pacing": FixedInterval(chance.choice([0.5, 5.0, 60.0]), jitter=0.0),
            "discovery_interval": chance.choice([2.0, 30.0]),
        }
        consumer = Consumer(project, chance, options)
        await consumer.session(is_last=False)
        while not working.done():
            await consumer.session(is_last=False)
        await working
        await consumer.session(is_last=True)
        assert project.runs._source.throttle.in_flight == 0
    check(nexus, consumer)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_nothing_is_lost_told_twice_or_out_of_order(seed: int) -> None:
    await scenario(seed)
