"""A stream that is cancelled at any of its awaits, once or again at the next, goes on as if nothing had been."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest

from nexus_async import FixedInterval
from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.logs import slices
from nexus_async.testing import client_for, run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

    from nexus_async import Checkpoint, LogStream, Project
    from nexus_async.local import LocalRun

EPOCH: Final = 1_705_466_384_796
STEPS: Final = list(range(1, 13))


@dataclass
class Suspensions:
    """Count the suspensions of what is awaited here, and cancel the task that waits at some of them.

    With `as_it_is_answered`, it is cancelled when what it waits for is there, and not yet taken.
    """

    cancelled: frozenset[int] = frozenset()
    as_it_is_answered: bool = False
    count: int = 0
    places: set[str] = field(default_factory=set)
    """The names of all functions that were suspended."""
    has_cancelled: bool = False

    async def of(self, waiting: Coroutine[Any, Any, Checkpoint]) -> Checkpoint:
        return await _Counted(self, waiting)

    def note(self, waiting: Coroutine[Any, Any, Checkpoint], future: asyncio.Future[Any] | None) -> None:
        self.count += 1
        self.places.update(names_of(waiting))
        if self.count not in self.cancelled:
            return
        if self.as_it_is_answered and future is not None:
            task = asyncio.current_task()
            future.add_done_callback(lambda _: self._cancel(task))
        else:
            self._cancel(asyncio.current_task())

    def _cancel(self, task: asyncio.Task[Any] | None) -> None:
        assert task is not None
        self.has_cancelled = True
        task.cancel()


@dataclass
class _Counted:
    """Drive a coroutine by hand, as its task would."""

    suspensions: Suspensions
    waiting: Coroutine[Any, Any, Checkpoint]

    def __await__(self) -> Generator[Any, None, Checkpoint]:
        thrown: BaseException | None = None
        while True:
            try:
                future = self.waiting.send(None) if thrown is None else self.waiting.throw(thrown)
            except StopIteration as stop:
                checkpoint: Checkpoint = stop.value
                return checkpoint
            self.suspensions.note(self.waiting, future)
            thrown = None
            try:
                yield future
            except BaseException as error:  # noqa: BLE001 - handed on to what waits
                thrown = error


def names_of(waiting: object) -> list[str]:
    names = []
    while (code := getattr(waiting, "cr_code", None)) is not None:
        names.append(code.co_name)
        waiting = waiting.cr_await  # type: ignore[attr-defined]  # it is a coroutine
    return names


async def next_of(stream: LogStream, suspensions: Suspensions) -> Checkpoint | None:
    """Return the next checkpoint, None where the wait for it was cancelled."""
    suspensions.has_cancelled = False
    waiting = asyncio.create_task(suspensions.of(stream.__anext__()))
    await asyncio.wait({waiting})
    assert waiting.cancelled() is suspensions.has_cancelled
    return None if waiting.cancelled() else waiting.result()


def train(run: LocalRun) -> None:
    """Write a log in several pieces, the last of them when the run is over and was seen to be."""
    loop = asyncio.get_running_loop()

    def write(*steps: int) -> None:
        for step in steps:
            run.checkpoint(step=step, totalLoss=1 / step)

    write(1, 2, 3)
    run.open_log()
    write(4)
    loop.call_later(70, write, 5, 6, 7, 8)
    loop.call_later(130, write, 9, 10)
    loop.call_later(130, run.finish)
    loop.call_later(205, write, 11, 12)


async def keep_calling(project: Project, run: LocalRun) -> None:
    """Make a call whenever a poll is due, so that the one has to wait for the other."""
    while True:
        await project.runs.get(run.id)
        await asyncio.sleep(30.0)


async def keep_reading(project: Project, run: LocalRun) -> None:
    """Read the same logs, and take room and turns meanwhile."""
    async for _ in project.runs.stream_logs(run.id, pacing=FixedInterval(30.0, jitter=0.0)):
        pass


async def followed(suspensions: Suspensions, limits: dict[str, float]) -> list[int]:
    """Follow a run to its end with hardly any room, and return the steps."""
    async with LocalNexus(ScriptedTrainer(), epoch=EPOCH) as nexus:
        run = nexus.start_run()
        train(run)
        async with client_for(nexus, **limits) as client:
            project = client.get_project(nexus.project_id)
            others = [asyncio.create_task(other(project, run)) for other in (keep_calling, keep_reading)]
            stream = project.runs.stream_logs(
                run.id, pacing=FixedInterval(60.0, jitter=0.0), settle=30.0, drain_timeout=120.0
            )
            steps = []
            while True:
                try:
                    checkpoint = await next_of(stream, suspensions)
                except StopAsyncIteration:
                    break
                if checkpoint is None:
                    assert (await asyncio.wait_for(project.runs.get(run.id), 60)).id == run.id
                    if run.is_over:
                        run.open_log()  # so that a status that was not asked for again can be told from the last
                else:
                    steps.append(checkpoint.step)
            for other in others:
                other.cancel()
            await asyncio.wait(others)
            assert stream.run is not None
            assert stream.run.status.overview == "Finished"
            assert stream.run.log_ids == list(run.log_ids)
            assert stream.resets == ()
            return steps


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SLICE", 60)


@pytest.fixture(
    params=[{"max_in_flight": 1, "requests_per_second": 2.0}, {"max_in_flight": 2, "max_buffered_bytes": 1}],
    ids=str,
)
def limits(request: pytest.FixtureRequest) -> dict[str, float]:
    given: dict[str, float] = request.param
    return given


def undisturbed(limits: dict[str, float]) -> Suspensions:
    suspensions = Suspensions()
    assert run_in_virtual_time(lambda: followed(suspensions, limits)) == STEPS
    return suspensions


@pytest.mark.parametrize("as_it_is_answered", [False, True])
@pytest.mark.parametrize("in_a_row", [1, 2])
def test_a_stream_goes_on_wherever_it_is_cancelled(
    limits: dict[str, float], in_a_row: int, as_it_is_answered: bool
) -> None:
    for first in range(1, undisturbed(limits).count + 1):
        disturbed = Suspensions(frozenset(range(first, first + in_a_row)), as_it_is_answered=as_it_is_answered)
        steps = run_in_virtual_time(lambda: followed(disturbed, limits))  # noqa: B023 - run at once
        assert (first, steps) == (first, STEPS)


def test_all_kinds_of_waiting_are_among_those_that_are_cancelled(limits: dict[str, float]) -> None:
    waits = {"get_run", "pour", "read", "conclude", "sleep"}
    waits.add("hold" if "max_buffered_bytes" in limits else "turn")
    assert undisturbed(limits).places >= waits
