"""A thousand callers at once on a bad day: each gets a result or an error of this package in time, and nothing is left."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from bisect import bisect_right
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from aiohttp import web
from skipping_loop import run_skipping

from nexus_async import FixedInterval, RequestError, Run
from nexus_async.local import Fault, LocalNexus, ScriptedTrainer
from nexus_async.testing import client_for, run_in_virtual_time

if TYPE_CHECKING:
    from nexus_async import Project
    from nexus_async.local import FaultRule, LocalRun

CALLERS: Final = 1_000
RATE: Final = 100.0
IN_FLIGHT: Final = 32
TIMEOUT: Final = 60.0
BAD_SECONDS: Final = 60.0
LEAK: Final = 100_000
"""Bytes that a crowd may leave behind: 100 a caller, where one that leaked its error alone would leave thousands."""

Runner = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]
both = pytest.mark.parametrize("run", [run_in_virtual_time, run_skipping], ids=["virtual time", "real sockets"])


class NotingNexus(LocalNexus):
    """Write down when each request came, and for what."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ScriptedTrainer(), **options)
        self.came: list[tuple[float, str]] = []
        self.in_flight: Callable[[], int] = int
        self.most_in_flight = 0

    def _application(self) -> web.Application:
        app = super()._application()

        @web.middleware
        async def note(request: web.Request, handler: Any) -> web.StreamResponse:
            self.came.append((asyncio.get_running_loop().time(), request.method))
            self.most_in_flight = max(self.most_in_flight, self.in_flight())
            answer: web.StreamResponse = await handler(request)
            return answer

        app.middlewares.insert(0, note)
        return app

    async def start(self) -> None:
        await super().start()
        self.start_run()

    def turn_bad(self) -> list[FaultRule]:
        return [
            self.faults.add(fault, chance=chance, seconds=BAD_SECONDS)
            for fault, chance in (
                (Fault.refuse(503), 0.10),
                (Fault.refuse(429), 0.05),
                (Fault.drop("before"), 0.05),
                (Fault.blackhole(), 0.01),
            )
        ]


@dataclass
class Crowd:
    """Hold what came of so many calls."""

    results: list[Run | RequestError] = field(default_factory=list)
    others: list[BaseException] = field(default_factory=list)
    longest: float = 0.0

    async def call(self, project: Project, run_id: str) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            self.results.append(await project.runs.get(run_id))
        except RequestError as error:
            self.results.append(error)
        except BaseException as error:  # noqa: BLE001 - there must be none
            self.others.append(error)
        self.longest = max(self.longest, loop.time() - begun)


async def surround(nexus: NotingNexus) -> Crowd:
    """Let a crowd ask, with a client of its own."""
    crowd = Crowd()
    async with client_for(
        nexus, requests_per_second=RATE, max_in_flight=IN_FLIGHT, bytes_per_second=1e9, timeout=TIMEOUT
    ) as client:
        nexus.in_flight = lambda: client.throttle.in_flight
        project, run = client.get_project(nexus.project_id), next(iter(nexus.runs.values()))
        await asyncio.gather(*[crowd.call(project, run.id) for _ in range(CALLERS)])
        assert (client.throttle.in_flight, client.throttle.waiting) == (0, 0)
    return crowd


def most_in_a_second(times: list[float]) -> int:
    return max(bisect_right(times, begin + 1.0) - i for i, begin in enumerate(times))


@both
def test_each_of_a_thousand_callers_gets_a_result_or_an_error_of_this_package_in_time(run: Runner) -> None:
    async def main() -> None:
        async with NotingNexus() as nexus:
            rules = nexus.turn_bad()
            crowd = await surround(nexus)
            assert crowd.others == []
            assert len(crowd.results) == CALLERS
            assert crowd.longest <= TIMEOUT + 1  # aiohttp waits for a whole second to be full
            assert {type(result) for result in crowd.results} > {Run}
            assert all(rule.struck for rule in rules)

    run(main)


def test_a_crowd_keeps_to_the_throttle_whatever_comes_back() -> None:
    async def main() -> None:
        async with NotingNexus() as nexus:
            nexus.turn_bad()
            await surround(nexus)
            assert most_in_a_second([time for time, _ in nexus.came]) <= 2 * RATE
            assert nexus.most_in_flight == IN_FLIGHT

    run_in_virtual_time(main)


@both
def test_a_crowd_leaves_no_task_and_no_socket(run: Runner) -> None:
    async def main() -> None:
        async with NotingNexus() as nexus:
            nexus.turn_bad()
            tasks, files = len(asyncio.all_tasks()), open_files()
            await surround(nexus)
            await asyncio.sleep(2)  # the server looks once a second whether somebody still waits
            assert len(asyncio.all_tasks()) == tasks
            assert open_files() == files

    run(main)


def test_a_crowd_leaves_no_memory() -> None:
    async def main() -> int:
        async with NotingNexus() as nexus:
            for _ in range(2):
                nexus.turn_bad()
                await surround(nexus)
                await asyncio.sleep(BAD_SECONDS)
            nexus.came.clear()
            before = held()
            nexus.turn_bad()
            await surround(nexus)
            await asyncio.sleep(BAD_SECONDS)
            nexus.came.clear()
            return held() - before

    tracemalloc.start()
    try:
        assert run_in_virtual_time(main) < LEAK
    finally:
        tracemalloc.stop()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def test_a_kill_overtakes_the_polls_that_wait() -> None:
    async def main() -> None:
        async with NotingNexus() as nexus, client_for(nexus, requests_per_second=10.0) as client:
            project = client.get_project(nexus.project_id)
            followed = [nexus.start_run() for _ in range(300)]
            following = [asyncio.create_task(follow(project, run)) for run in followed]
            await asyncio.sleep(100)
            nexus.turn_bad()
            assert client.throttle.waiting > 100
            came = len(nexus.came)
            await project.runs.kill(followed[-1].id)
            assert "PATCH" in [method for _, method in nexus.came[came : came + 3]]
            for task in following:
                task.cancel()
            await asyncio.gather(*following, return_exceptions=True)

    run_in_virtual_time(main)


async def follow(project: Project, run: LocalRun) -> None:
    async for _ in project.runs.stream_logs(run.id, pacing=FixedInterval(1.0)):
        pass
