"""What the log tells of a feed and of a stream: each trouble once, and nothing of what the API said."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import later, on_logs_of, refusal, serving, within

from nexus_async import AuthenticationError, FixedInterval

if TYPE_CHECKING:
    from faulty_nexus import FaultyNexus

pytestmark = pytest.mark.virtual_time

EVERY_5_S = FixedInterval(5.0, jitter=0.0)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "nexus_async.streaming")
    return caplog


def said(log: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    assert "refused" not in log.text, "what the API says may repeat a body"
    return [(record.levelname, record.getMessage()) for record in log.records]


def fails(nexus: FaultyNexus, status: int) -> None:
    nexus.fault = lambda _: refusal(status)


def answers(nexus: FaultyNexus) -> None:
    nexus.fault = lambda _: None


async def test_an_outage_is_in_the_log_when_it_begins_and_when_it_ends(log: pytest.LogCaptureFixture) -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        later(100, lambda: fails(nexus, 503))
        later(1000, lambda: answers(nexus))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 1200)
    assert said(log) == [
        ("WARNING", f"no answer for {project.id}: ServerError 503"),
        ("INFO", f"answers again for {project.id}"),
    ]


async def test_a_run_that_cannot_be_followed_is_in_the_log_once(log: pytest.LogCaptureFixture) -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        run.checkpoint(step=1)
        later(100, lambda: setattr(nexus, "fault", on_logs_of(run, refusal(418))))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 1000)
    assert said(log) == [("WARNING", f"{run.id} cannot be followed for now: StatusError 418")]


async def test_a_run_that_is_gone_is_in_the_log(log: pytest.LogCaptureFixture) -> None:
    async with serving() as (nexus, project):
        gone = nexus.start_run()
        gone.begin()
        later(100, lambda: nexus.forget(gone))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 600)
    assert said(log) == [("WARNING", f"{gone.id} is gone: NotFoundError 404")]


async def test_a_project_out_of_reach_is_in_the_log(log: pytest.LogCaptureFixture) -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        later(100, lambda: fails(nexus, 401))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            with pytest.raises(AuthenticationError):
                await within(feed, 600)
    assert said(log) == [("WARNING", f"{project.id} is followed no more: AuthenticationError 401")]


async def test_a_stream_tells_when_it_asks_again(log: pytest.LogCaptureFixture) -> None:
    async with serving(jitter=lambda pause: pause) as (nexus, project):
        run = nexus.start_run()
        run.checkpoint(step=1)
        run.finish()
        fails(nexus, 503)
        later(2, lambda: answers(nexus))
        assert [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id)] == [1]
    assert said(log) == [
        ("INFO", f"{run.id}: ServerError 503, again in 1.00 s"),
        ("INFO", f"{run.id}: ServerError 503, again in 2.00 s"),
    ]
