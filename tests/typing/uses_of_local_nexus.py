"""The local Nexus and what tests are written with, as a user writes them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_type

from nexus_async import Client, MemoryStore
from nexus_async.local import (
    CurveTrainer,
    DigitsTrainer,
    Fault,
    FaultRule,
    Faults,
    InvalidArgumentError,
    InvalidSetupError,
    LocalNexus,
    LocalNexusError,
    LocalProject,
    LocalRun,
    LocalWorkflow,
    NotStartedError,
    ReplayTrainer,
    RunOverError,
    ScriptedTrainer,
    TooManyRunsError,
    Trainer,
    TrainingClock,
    TrainingFailed,
    UnknownIdError,
)
from nexus_async.testing import (
    check_store,
    client_for,
    is_virtual,
    pytest_asyncio_loop_factories,
    run_in_virtual_time,
    virtual_time_loop,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest


class Impatient:
    """A trainer of one's own."""

    speed = 1.0

    async def train(self, run: LocalRun) -> None:
        run.checkpoint(step=1, totalLoss="NaN", accuracy=None, other=0.5)
        raise TrainingFailed("it takes too long")


async def serve() -> None:
    trainers: list[Trainer] = [Impatient(), DigitsTrainer(steps=3), ScriptedTrainer()]
    trainers.append(ReplayTrainer("recorded.jsonl", speed=60))
    async with LocalNexus(trainers[0], seed=3) as nexus:
        assert_type(nexus.url, str)
        assert_type(nexus.now(), int)
        assert_type(nexus.projects, tuple[LocalProject, ...])
        assert_type(list(nexus.projects[0].workflows), list[LocalWorkflow])
        run = nexus.start_run(setup={"limit": {"metric": "LIM_EPOCHS", "value": 3}})
        assert_type(run, LocalRun)
        await run.wait_over()
        assert_type(client_for(nexus, timeout=3), Client)


async def drive() -> None:
    clock = TrainingClock()
    async with LocalNexus(CurveTrainer(steps=10, clock=clock)) as nexus:
        await clock.advance(60.0)
        run = nexus.start_run()
        run.evaluate(1, ["a", "b"], [[1, 2], [3, 4]])
        run.fail("out of memory")
        run.finish()


def befall(nexus: LocalNexus, fault: Callable[..., FaultRule]) -> None:
    assert_type(nexus.faults, Faults)
    with nexus.faults.add(Fault.refuse(503), on="get", chance=0.5, times=3) as rule:
        assert_type(rule, FaultRule)
    nexus.faults.script([Fault.drop("in"), None, Fault.latency(2)], on=["list", "get_logs"])
    fault(Fault.blackhole())


def refuse(error: LocalNexusError) -> str:
    match error:
        case InvalidArgumentError() | InvalidSetupError() | UnknownIdError():
            return "mine"
        case NotStartedError() | RunOverError() | TooManyRunsError():
            return "too early or too late"
        case _:
            return str(error)


async def check() -> None:
    await check_store(MemoryStore)


async def three() -> int:
    await asyncio.sleep(1000)
    return 3


def run_in_no_time(config: pytest.Config, item: pytest.Item) -> None:
    assert_type(run_in_virtual_time(three), int)
    assert_type(is_virtual(virtual_time_loop()), bool)
    factories = pytest_asyncio_loop_factories(config, item)
    assert_type(factories["virtual"](), asyncio.AbstractEventLoop)
