"""Virtual time is exact, and the same every time."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest
from async_solipsism import SleepForeverError

from nexus_async import Checkpoint, Client, ConnectError
from nexus_async.local import CurveTrainer, LocalNexus, ScriptedTrainer
from nexus_async.testing import client_for, is_virtual, run_in_virtual_time, virtual_time_loop
from nexus_async.testing.connector import VirtualConnector
from nexus_async.testing.virtual_time import EPOCH


class CountingConnector(VirtualConnector):
    """Write down when a connection is asked for."""

    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self.times = times

    async def _create_connection(self, *args: Any) -> Any:
        self.times.append(asyncio.get_running_loop().time())
        return await super()._create_connection(*args)


async def times_of_attempts() -> list[float]:
    times: list[float] = []
    async with LocalNexus(ScriptedTrainer()) as nexus:
        pass  # it has a port, and listens no more
    async with client_for(nexus, connector=lambda: CountingConnector(times)) as client:
        with pytest.raises(ConnectError):
            await client.get_info()
    return times


async def checkpoints_of_a_training() -> list[Checkpoint]:
    async with LocalNexus(CurveTrainer(), epoch=EPOCH) as nexus, client_for(nexus) as client:
        run = nexus.start_run()
        stream = client.get_project(nexus.project_id).runs.stream_logs(run.id)
        return [checkpoint async for checkpoint in stream]


def test_the_result_of_what_runs_is_given_back() -> None:
    async def later() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(later) == pytest.approx(3600)


def test_the_clock_jumps_over_a_day_and_more() -> None:
    async def later() -> float:
        await asyncio.sleep(3 * 86_400)
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(later) == pytest.approx(3 * 86_400)


def test_an_exception_of_what_runs_is_raised() -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_in_virtual_time(fail)


def test_the_pauses_between_attempts_are_the_same_each_time() -> None:
    first, second = run_in_virtual_time(times_of_attempts), run_in_virtual_time(times_of_attempts)
    assert len(first) == 3
    assert first == second


def test_a_training_is_followed_the_same_way_each_time() -> None:
    first = run_in_virtual_time(checkpoints_of_a_training)
    assert first
    assert first == run_in_virtual_time(checkpoints_of_a_training)


def test_what_waits_for_nothing_that_will_come_is_told() -> None:
    async def wait() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(SleepForeverError):
        run_in_virtual_time(wait)


def test_a_loop_of_the_system_is_not_virtual() -> None:
    real, virtual = asyncio.new_event_loop(), virtual_time_loop()
    assert (is_virtual(real), is_virtual(virtual)) == (False, True)
    real.close()
    virtual.close()


def test_without_its_extra_virtual_time_tells_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "async_solipsism", None)
    with pytest.raises(ModuleNotFoundError, match="extra `testing`"):
        virtual_time_loop()


@pytest.mark.virtual_time
async def test_a_connection_to_nothing_is_refused() -> None:
    async with Client("k", endpoint="http://127.0.0.1:9", connector=VirtualConnector, attempts=1) as client:
        with pytest.raises(ConnectError, match=r"127\.0\.0\.1:9"):
            await client.get_info()


@pytest.mark.virtual_time
async def test_many_connections_stand_at_once(local_nexus: LocalNexus) -> None:
    async with client_for(local_nexus) as client:
        infos = await asyncio.gather(*[client.get_info() for _ in range(50)])
    assert {info.name for info in infos} == {"Local workspace"}
