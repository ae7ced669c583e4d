"""Tasks that take turns at waiting for a job: none is lost, begun twice or left, wherever they are stopped."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nexus_async.streaming.feed.crew import Crew

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.virtual_time


class Jobs:
    """Jobs of so many seconds each, of which one is found every `pause` seconds; note what becomes of them."""

    def __init__(self, seconds: Iterable[float], *, pause: float = 1.0) -> None:
        self._seconds = list(seconds)
        self._pause = pause
        self._found = 0
        self.begun: list[tuple[float, int]] = []
        self.ended: list[int] = []
        self.finders: set[asyncio.Task[object] | None] = set()
        self.most = 0

    @property
    def tasks(self) -> int:
        return len(self.finders)

    async def find(self) -> int:
        self.finders.add(asyncio.current_task())
        if self._pause:
            await asyncio.sleep(self._pause)
        if self._found == len(self._seconds):
            await asyncio.Event().wait()
        self._found += 1
        return self._found - 1

    async def do(self, job: int) -> None:
        self.begun.append((asyncio.get_running_loop().time(), job))
        self.most = max(self.most, len(self.begun) - len(self.ended))
        await asyncio.sleep(self._seconds[job])
        self.ended.append(job)

    @property
    def crew(self) -> Crew[int]:
        return Crew(self.find, self.do)


async def work(crew: Crew[int], *, seconds: float) -> float:
    """Let a crew work, stop it after so many seconds; return when its last task ended."""
    async with asyncio.TaskGroup() as group:
        crew.start(group)
        await asyncio.sleep(seconds)
        crew.stop()
    return asyncio.get_running_loop().time()


async def test_each_job_is_done_once_in_the_order_it_was_found() -> None:
    jobs = Jobs([0.5] * 5)
    await work(jobs.crew, seconds=20)
    assert jobs.begun == [(at + 1, at) for at in range(5)]
    assert jobs.ended == [*range(5)]


async def test_the_next_job_is_waited_for_while_one_is_done() -> None:
    jobs = Jobs([100, 1, 1])
    await work(jobs.crew, seconds=20)
    assert [at for at, _ in jobs.begun] == [1, 2, 3]
    assert jobs.ended == [1, 2, 0]


async def test_who_is_done_is_called_up_again() -> None:
    jobs = Jobs([0.5] * 50)
    await work(jobs.crew, seconds=100)
    assert jobs.tasks == 2


async def test_there_are_as_many_tasks_as_jobs_at_once_and_the_one_that_waits() -> None:
    jobs = Jobs([3.5] * 50)
    await work(jobs.crew, seconds=100)
    assert jobs.most == 4
    assert jobs.tasks == 5


async def test_only_one_waits_at_a_time() -> None:
    waiting = most = 0

    async def find() -> int:
        nonlocal waiting, most
        waiting += 1
        most = max(most, waiting)
        try:
            await asyncio.sleep(1)
        finally:
            waiting -= 1
        return 0

    await work(Crew(find, lambda _: asyncio.sleep(2.5)), seconds=30)
    assert (most, waiting) == (1, 0)


async def test_a_job_begins_before_the_next_is_looked_for() -> None:
    order: list[str] = []

    async def find() -> int:
        order.append("find")
        await asyncio.sleep(0 if len(order) < 8 else 1000)
        return 0

    async def do(_: int) -> None:
        order.append("do")
        await asyncio.sleep(1)

    await work(Crew(find, do), seconds=1)
    assert order[:8] == ["find", "do"] * 4


async def test_jobs_that_are_there_at_once_are_all_begun() -> None:
    jobs = Jobs([1.0] * 200, pause=0)
    await work(jobs.crew, seconds=10)
    assert {at for at, _ in jobs.begun} == {0.0}
    assert sorted(jobs.ended) == [*range(200)]


async def test_stopping_waits_for_no_further_job_and_does_those_begun_to_their_end() -> None:
    jobs = Jobs([10.0] * 9)
    assert await work(jobs.crew, seconds=2.5) == 12
    assert jobs.ended == [0, 1]


async def test_stopping_ends_those_who_rest() -> None:
    jobs = Jobs([1.5] * 4)
    assert await work(jobs.crew, seconds=20) == 20


async def test_a_crew_that_is_stopped_before_it_begins_waits_for_no_job() -> None:
    jobs = Jobs([1.0])
    assert await work(jobs.crew, seconds=0) == 0
    stopped = jobs.crew
    stopped.stop()
    assert await work(stopped, seconds=5) == 5
    assert jobs.begun == []


async def test_a_job_may_stop_the_crew_that_does_it() -> None:
    jobs = Jobs([0.0] * 5)

    async def do(job: int) -> None:
        await jobs.do(job)
        if job == 2:
            crew.stop()

    crew = Crew(jobs.find, do)
    async with asyncio.TaskGroup() as group:
        crew.start(group)
    assert jobs.ended == [0, 1, 2]


async def test_a_job_may_stop_the_crew_as_it_begins_while_nobody_waits_yet() -> None:
    found: list[int] = []

    async def find() -> int:
        found.append(len(found))
        return found[-1]

    async def do(_: int) -> None:
        crew.stop()
        await asyncio.sleep(1)

    crew = Crew(find, do)
    async with asyncio.TaskGroup() as group:
        crew.start(group)
    assert found == [0]


@pytest.mark.parametrize("turns", range(12))
async def test_each_job_that_was_found_is_done_wherever_stopping_comes(turns: int) -> None:
    found: list[int] = []
    done: list[int] = []

    async def find() -> int:
        await asyncio.sleep(0)
        found.append(len(found))
        return found[-1]

    async def do(job: int) -> None:
        for _ in range(job % 3):
            await asyncio.sleep(0)
        done.append(job)

    crew = Crew(find, do)
    async with asyncio.TaskGroup() as group:
        crew.start(group)
        for _ in range(turns):
            await asyncio.sleep(0)
        crew.stop()
        at_stop = list(found)
    assert sorted(done) == found == at_stop


async def test_a_job_that_is_cancelled_alone_leaves_the_others_to_go_on() -> None:
    jobs = Jobs([0.5, 100, 0.5, 0.5])
    doing: dict[int, asyncio.Task[object] | None] = {}

    async def do(job: int) -> None:
        doing[job] = asyncio.current_task()
        await jobs.do(job)

    async with asyncio.TaskGroup() as group:
        crew = Crew(jobs.find, do)
        crew.start(group)
        await asyncio.sleep(2.5)
        cancelled = doing[1]
        assert cancelled is not None
        cancelled.cancel()
        await asyncio.sleep(10)
        crew.stop()
    assert jobs.ended == [0, 2, 3]


async def test_who_is_cancelled_while_resting_is_passed_over() -> None:
    jobs = Jobs([0.5, 2.2, 0.5, 3, 3, 3, 3])

    async def do(job: int) -> None:
        await jobs.do(job)
        me = asyncio.current_task()
        if job == 1 and me is not None:
            asyncio.get_running_loop().call_soon(me.cancel)

    await work(Crew(jobs.find, do), seconds=20)
    assert sorted(jobs.ended) == [*range(7)]


@pytest.mark.parametrize("where", ["find", "do"])
async def test_what_fails_ends_all_with_its_error(where: str) -> None:
    jobs = Jobs([100.0] * 5)

    async def fail(_: int = 0) -> int:
        await asyncio.sleep(2.5)
        raise LookupError

    async def do(job: int) -> None:
        await (fail() if where == "do" else jobs.do(job))

    crew = Crew(fail if where == "find" else jobs.find, do)
    with pytest.raises(ExceptionGroup) as failure:
        async with asyncio.TaskGroup() as group:
            crew.start(group)
    assert [type(error) for error in failure.value.exceptions] == [LookupError]
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelling_the_group_leaves_no_task() -> None:
    jobs = Jobs([1.5, 100.0, 100.0])
    working = asyncio.create_task(work(jobs.crew, seconds=1000))
    await asyncio.sleep(10)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert asyncio.all_tasks() == {asyncio.current_task()}
