"""What a feed makes of an API, a project, a run or a log that fails: it is told once, and nothing is lost."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from random import Random
from typing import TYPE_CHECKING

import pytest
from faulty_nexus import (
    HALF_AN_HOUR,
    FaultyNexus,
    drop,
    ends,
    entries,
    later,
    of_kind,
    on,
    on_logs_of,
    other_body,
    refusal,
    serving,
    steps,
    until,
    within,
)

from nexus_async import (
    AuthenticationError,
    Checkpoint,
    Disconnected,
    FixedInterval,
    FollowFailed,
    ForbiddenError,
    NotFoundError,
    ProjectUnavailable,
    Reconnected,
    RunAdded,
    RunEnded,
    watch,
)
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web
    from faulty_nexus import Fault

    from nexus_async import Client, Event, Feed, Project
    from nexus_async.local import LocalRun

pytestmark = pytest.mark.virtual_time

EVERY_5_S = FixedInterval(5.0, jitter=0.0)


def train(run: LocalRun, steps: int, *, every: float = 60.0) -> None:
    """Write a checkpoint now and then, and end the run after the last."""
    for step in range(steps):
        later(every * step, lambda step=step: run.checkpoint(step=step, totalLoss=0.5))  # type: ignore[misc]
    later(every * steps, run.finish)


async def outage(nexus: FaultyNexus, *, after: float, seconds: float) -> None:
    await asyncio.sleep(after)
    await nexus.close()
    await asyncio.sleep(seconds)
    await nexus.start()


async def follow_through_outage(nexus: FaultyNexus, project: Project) -> list[Event]:
    """Follow three runs over an hour, in which the API is down for half an hour."""
    runs = [nexus.start_run() for _ in range(3)]
    down = asyncio.create_task(outage(nexus, after=600.0, seconds=HALF_AN_HOUR))
    async with project.runs.watch(stop_when_all_ended=True, pacing=EVERY_5_S) as feed:
        await asyncio.sleep(0)
        for run in runs:
            keep_on(run)
        events = [event async for event in feed]
    await down
    return events


def keep_on(run: LocalRun) -> None:
    # a server that was closed trains no more: the runs of a script go on, as those of Nexus do
    train(run, 60)


async def test_an_outage_of_half_an_hour_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    async with serving() as (nexus, project):
        events = await follow_through_outage(nexus, project)
    [disconnected], [reconnected] = of_kind(Disconnected, events), of_kind(Reconnected, events)
    assert events.index(disconnected) < events.index(reconnected)


async def test_an_outage_is_told_with_when_it_began_how_long_it_was_and_why() -> None:
    async with serving() as (nexus, project):
        begin = nexus.now() / 1000
        events = await follow_through_outage(nexus, project)
    [disconnected], [reconnected] = of_kind(Disconnected, events), of_kind(Reconnected, events)
    assert begin + 600 <= disconnected.since <= begin + 606
    assert reconnected.since == disconnected.since
    assert HALF_AN_HOUR - 6 <= reconnected.seconds <= HALF_AN_HOUR + 16
    assert "no connection to" in disconnected.error
    assert disconnected.project_ids == reconnected.project_ids == (project.id,)


async def test_an_outage_loses_and_doubles_nothing() -> None:
    async with serving() as (nexus, project):
        events = await follow_through_outage(nexus, project)
        assert steps(events) == {run_id: list(range(60)) for run_id in nexus.runs}
        assert ends(events) == dict.fromkeys(nexus.runs, 1)
    assert of_kind(FollowFailed, events) == []


async def test_an_api_that_answers_nothing_but_503_is_asked_seldom() -> None:
    async with serving() as (nexus, project):
        for _ in range(100):
            nexus.start_run().begin()
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 600)
            nexus.fault = lambda _: refusal(503)
            events = await within(feed, HALF_AN_HOUR)
    assert len(of_kind(Disconnected, events)) == 1
    assert of_kind(Reconnected, events) == []
    assert of_kind(FollowFailed, events) == []
    assert nexus.count(after=660.0) < 2 * (HALF_AN_HOUR - 60) / 7.5


async def start_later(nexus: FaultyNexus, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await nexus.start()


async def test_an_api_that_is_down_at_opening_is_waited_for() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 40)
        await nexus.close()
        begin = nexus.now() / 1000
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            back = asyncio.create_task(start_later(nexus, HALF_AN_HOUR))
            events = [event async for event in feed]
    await back
    assert [type(event) for event in events[:3]] == [Disconnected, Reconnected, RunAdded]
    assert begin <= of_kind(Disconnected, events)[0].since < begin + 1
    assert steps(events) == {run.id: list(range(40))}
    assert ends(events) == {run.id: 1}


@asynccontextmanager
async def both_serving() -> AsyncIterator[tuple[FaultyNexus, FaultyNexus, Client, Client]]:
    """Run two servers, and a client of each."""
    async with (
        FaultyNexus() as nexus,
        FaultyNexus(seed=1) as other,
        client_for(nexus) as first,
        client_for(other) as second,
    ):
        yield nexus, other, first, second


async def test_a_key_that_is_revoked_on_one_project_is_told_and_the_other_goes_on() -> None:
    async with both_serving() as (nexus, other, first, second):
        gone, run = nexus.start_run(), other.start_run()
        gone.begin()
        train(run, 20)
        projects = {"a": first.get_project(nexus.project_id), "b": second.get_project(other.project_id)}
        async with watch(projects, stop_when_all_ended=True) as feed:
            await asyncio.sleep(300)
            nexus.fault = lambda _: refusal(401)
            events = [event async for event in feed]
    [told] = of_kind(ProjectUnavailable, events)
    assert (told.project_id, told.label) == (gone.project_id, "a")
    assert steps(events) == {run.id: list(range(20))}
    assert ends(events) == {run.id: 1}


async def test_a_project_that_cannot_be_reached_any_more_is_asked_no_more() -> None:
    async with both_serving() as (nexus, other, first, second):
        for _ in range(3):
            nexus.start_run().begin()
        other.start_run().begin()
        projects = [first.get_project(nexus.project_id), second.get_project(other.project_id)]
        async with watch(*projects) as feed:
            await within(feed, 300)
            nexus.fault = lambda _: refusal(401)
            await within(feed, 60)
            asked = nexus.count()
            await within(feed, 600)
    assert nexus.count() == asked


async def test_a_server_with_another_key_ends_the_feed_of_its_only_project() -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        async with project.runs.watch() as feed:
            await within(feed, 300)
            await nexus.close()
            port = int(nexus.url.rpartition(":")[2])
            async with FaultyNexus(secret_key="another", port=port):
                told = await until(feed, lambda event: isinstance(event, ProjectUnavailable))
                with pytest.raises(AuthenticationError):
                    await anext(feed)
    assert len(of_kind(ProjectUnavailable, told)) == 1


@pytest.mark.parametrize(
    ("status", "raised"), [(401, AuthenticationError), (403, ForbiddenError), (404, NotFoundError)]
)
async def test_a_list_that_is_refused_ends_the_feed_of_its_only_project(
    status: int, raised: type[Exception]
) -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        async with project.runs.watch() as feed:
            await within(feed, 300)
            nexus.fault = on("/runs", refusal(status))
            with pytest.raises(raised):
                await until(feed, lambda _: False)


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_list_that_is_refused_at_opening_is_told_before_the_feed_raises(status: int) -> None:
    async with serving() as (nexus, project):
        nexus.fault = lambda _: refusal(status)
        async with project.runs.watch() as feed:
            told = await anext(feed)
            with pytest.raises((AuthenticationError, ForbiddenError, NotFoundError)):
                await anext(feed)
    assert isinstance(told, ProjectUnavailable)
    assert told.project_id == project.id


async def sip(feed: Feed, events: list[Event]) -> None:
    async for event in feed:
        events.append(event)
        await asyncio.sleep(10)


async def test_every_project_is_told_as_unavailable_however_slow_the_consumer() -> None:
    async with serving() as (nexus, _):
        events: list[Event] = []
        for each in nexus.projects:
            nexus.start_run(project_id=each.id).begin()
        async with client_for(nexus) as client:
            projects = [client.get_project(each.id) for each in nexus.projects]
            async with watch(*projects, buffer=1) as feed:
                await within(feed, 300)
                nexus.fault = lambda _: refusal(401)
                await asyncio.sleep(300)
                with pytest.raises(AuthenticationError):
                    await sip(feed, events)
    told = {event.project_id for event in of_kind(ProjectUnavailable, events)}
    assert told == {each.id for each in nexus.projects}


@pytest.mark.parametrize("status", [500, 501, 520, 530, 599])
async def test_no_error_of_the_server_ends_a_feed(status: int) -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 20)
        later(300, lambda: setattr(nexus, "fault", lambda _: refusal(status)))
        later(900, lambda: setattr(nexus, "fault", lambda _: None))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    assert len(of_kind(Disconnected, events)) == len(of_kind(Reconnected, events)) == 1
    assert steps(events) == {run.id: list(range(20))}


async def test_a_run_that_is_deleted_is_told_as_failed_for_good_and_the_others_go_on() -> None:
    async with serving() as (nexus, project):
        gone, run = nexus.start_run(), nexus.start_run()
        gone.begin()
        train(run, 20)
        later(300, lambda: nexus.forget(gone))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    [failed] = of_kind(FollowFailed, events)
    assert (failed.run_id, failed.fatal) == (gone.id, True)
    assert steps(events) == {run.id: list(range(20))}
    assert ends(events) == {run.id: 1}


async def test_a_run_that_is_gone_is_asked_for_no_more() -> None:
    async with serving() as (nexus, project):
        gone = nexus.start_run()
        gone.begin()
        async with project.runs.watch() as feed:
            later(300, lambda: nexus.forget(gone))
            await until(feed, lambda event: isinstance(event, FollowFailed))
            told = asyncio.get_running_loop().time() + 0.001
            await within(feed, 600)
    assert nexus.count("log", after=told) == nexus.count("run", after=told) == 0


broken = pytest.mark.parametrize(
    "fault",
    [
        pytest.param(other_body(lambda body: body[:-2]), id="cut"),
        pytest.param(other_body(lambda _: b"<html>"), id="no JSON"),
        pytest.param(other_body(lambda _: b'{"id": "x"}'), id="no log"),
        pytest.param(refusal(404), id="404"),
        pytest.param(refusal(403), id="403"),
        pytest.param(refusal(500), id="500"),
        pytest.param(refusal(418), id="418"),
        pytest.param(drop(0.5), id="drop"),
    ],
)


@broken
async def test_a_log_that_fails_for_long_is_told_once_and_does_not_hold_up_the_others(fault: Fault) -> None:
    async with serving() as (nexus, project):
        odd, run = nexus.start_run(), nexus.start_run()
        odd.checkpoint(step=0)
        train(run, 60)
        later(300, lambda: setattr(nexus, "fault", on_logs_of(odd, fault)))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            events = await within(feed, 2 * HALF_AN_HOUR + 60)
    assert [(event.run_id, event.fatal) for event in of_kind(FollowFailed, events)] == [(odd.id, False)]
    assert of_kind(Disconnected, events) == []
    assert steps(events)[run.id] == list(range(60))
    assert ends(events) == {run.id: 1}


@broken
async def test_a_log_that_comes_right_is_told_from_where_it_failed(fault: Fault) -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 30)
        later(300, lambda: setattr(nexus, "fault", on_logs_of(run, fault)))
        later(1500, lambda: setattr(nexus, "fault", lambda _: None))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    assert steps(events) == {run.id: list(range(30))}
    assert ends(events) == {run.id: 1}


async def test_each_time_that_a_log_fails_is_told() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 60)
        for at in (300, 1500):
            later(at, lambda: setattr(nexus, "fault", on_logs_of(run, refusal(500))))
            later(at + 600, lambda: setattr(nexus, "fault", lambda _: None))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    failures = of_kind(FollowFailed, events)
    assert [event.fatal for event in failures] == [False, False]
    assert len({event.id for event in failures}) == 2


async def test_a_single_failure_is_not_told() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 10)
        faults = iter([refusal(500), refusal(500)])
        later(300, lambda: setattr(nexus, "fault", lambda request: next(faults, None)))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    assert [*of_kind(FollowFailed, events), *of_kind(Disconnected, events)] == []
    assert steps(events) == {run.id: list(range(10))}


async def test_logs_that_all_fail_while_the_api_answers_are_told_once_a_run() -> None:
    async with serving() as (nexus, project):
        runs = [nexus.start_run() for _ in range(3)]
        for run in runs:
            run.checkpoint(step=0)
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 300)
            nexus.fault = lambda request: refusal(500) if "logs" in request.path else None
            events = await within(feed, HALF_AN_HOUR)
            nexus.fault = lambda _: None
            events += await within(feed, 60)
    assert sorted(event.run_id for event in of_kind(FollowFailed, events)) == sorted(run.id for run in runs)
    assert of_kind(Disconnected, events) == []


async def test_a_list_that_fails_for_long_is_asked_seldom() -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        async with project.runs.watch(pacing=FixedInterval(600.0, jitter=0.0)) as feed:
            await within(feed, 300)
            nexus.fault = on("/runs", refusal(500))
            await within(feed, HALF_AN_HOUR)
    assert nexus.count("list", after=330) < 2 * HALF_AN_HOUR / 7.5


async def test_a_list_that_fails_does_not_hold_up_the_logs() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 20)
        later(300, lambda: setattr(nexus, "fault", on("/runs", refusal(500))))
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            events = await within(feed, 19 * 60 + 30)
    assert steps(events) == {run.id: list(range(20))}
    assert of_kind(FollowFailed, events) == []


@pytest.mark.parametrize("fault", [refusal(500), refusal(404), other_body(lambda _: b"{}")])
async def test_a_run_that_cannot_be_asked_for_does_not_hold_up_others_that_are_added(fault: Fault) -> None:
    async with serving() as (nexus, project):
        odd, run = nexus.start_run(), nexus.start_run()
        train(run, 5)
        nexus.fault = on(odd.id, fault)
        async with project.runs.watch([]) as feed:
            await within(feed, 60)
            feed.add(odd.id)
            feed.add(run.id)
            events = await within(feed, 600)
    assert steps(events) == {run.id: list(range(5))}
    assert ends(events) == {run.id: 1}


@pytest.mark.parametrize("fault", [refusal(500), other_body(lambda _: b"{}")])
async def test_a_run_whose_status_cannot_be_asked_for_does_not_hold_up_that_of_others(fault: Fault) -> None:
    async with serving() as (nexus, project):
        odd, run = nexus.start_run(), nexus.start_run()
        for _ in range(8):
            nexus.start_run()
        odd.begin()
        train(run, 20)
        later(300, lambda: setattr(nexus, "fault", on(odd.id, fault)))
        async with project.runs.watch([odd.id, run.id], pacing=EVERY_5_S) as feed:
            events = await within(feed, 20 * 60 + 60)
    assert ends(events) == {run.id: 1}


async def test_a_run_that_makes_no_sense_does_not_hide_the_others_of_its_list() -> None:
    async with serving() as (nexus, project):
        odd, run = nexus.start_run(), nexus.start_run()
        train(run, 5)
        nexus.fault = on("/runs", other_body(lambda body: body.replace(odd.encoded(), b'{"id": 7}')))
        async with project.runs.watch() as feed:
            events = await within(feed, 600)
    assert {event.run_id for event in of_kind(RunAdded, events)} == {run.id}
    assert ends(events) == {run.id: 1}


async def test_a_run_that_made_no_sense_is_followed_once_it_does() -> None:
    async with serving() as (nexus, project):
        odd = nexus.start_run()
        odd.checkpoint(step=0)
        right, wrong = b'"createDate":%d' % odd.create_date, b'"createDate":"x"'
        nexus.fault = on("/runs", other_body(lambda body: body.replace(right, wrong)))
        later(300, lambda: setattr(nexus, "fault", lambda _: None))
        async with project.runs.watch() as feed:
            events = await within(feed, 600)
    assert steps(events) == {odd.id: [0]}


def limited_once(of: Callable[[web.Request], bool], seconds: int) -> Callable[[web.Request], Fault | None]:
    left = [refusal(429, retry_after=seconds)]
    return lambda request: left.pop() if left and of(request) else None


async def test_a_429_holds_every_request_back_for_as_long_as_it_asks() -> None:
    async with serving() as (nexus, project):
        for _ in range(5):
            nexus.start_run().begin()
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 300)
            nexus.fault = limited_once(lambda request: "logs" in request.path, 60)
            await within(feed, 300)
    [limited] = [each.at for each in nexus.asked if each.status == 429]
    assert nexus.count(after=limited + 0.001, before=limited + 60) == 0
    assert nexus.count(after=limited + 60, before=limited + 70) > 5


async def test_a_429_is_counted() -> None:
    async with serving() as (nexus, project):
        nexus.start_run().begin()
        async with project.runs.watch(pacing=EVERY_5_S) as feed:
            await within(feed, 300)
            nexus.fault = limited_once(lambda request: "logs" in request.path, 60)
            await within(feed, 300)
            stats = feed.stats()
    assert (stats.rate_limited, stats.failed_polls) == (1, 1)


async def test_being_held_back_is_neither_an_outage_nor_a_failure_of_a_run() -> None:
    async with serving() as (nexus, project):
        run = nexus.start_run()
        train(run, 20)
        later(300, lambda: setattr(nexus, "fault", lambda _: refusal(429, retry_after=20)))
        later(900, lambda: setattr(nexus, "fault", lambda _: None))
        async with project.runs.watch(stop_when_all_ended=True) as feed:
            events = [event async for event in feed]
    assert [*of_kind(FollowFailed, events), *of_kind(Disconnected, events)] == []
    assert steps(events) == {run.id: list(range(20))}
    assert ends(events) == {run.id: 1}


def faults_at_random(numbers: Random) -> Callable[[web.Request], Fault | None]:
    def choose(_: web.Request) -> Fault | None:
        kind = numbers.choices(["none", "429", "500", "503", "drop"], [12, 1, 2, 2, 3])[0]
        if kind == "429":
            return refusal(429, retry_after=numbers.choice([0, 1, 30]))
        return (
            {"none": None, "drop": drop(numbers.random())}.get(kind, refusal(503))
            if kind != "500"
            else refusal(500)
        )

    return choose


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_fails_each_log_is_told_once_and_in_order_and_each_end_once(seed: int) -> None:
    numbers = Random(seed)
    async with serving() as (nexus, project):
        runs = [nexus.start_run() for _ in range(4)]
        for run in runs:
            train(run, numbers.randint(0, 30), every=numbers.uniform(1.0, 40.0))
        nexus.fault = faults_at_random(numbers)
        buffer = numbers.choice([1, 3, 1000])
        feed = project.runs.watch(
            include_ended=True, stop_when_all_ended=True, buffer=buffer, discovery_interval=10.0
        )
        async with feed:
            events = [event async for event in feed]
        written = {run.id: list(range(run.steps_seen)) for run in runs if run.steps_seen}
    assert steps(events) == written
    assert ends(events) == {run.id: 1 for run in runs}
    assert len(set(entries(events))) == len(entries(events))
    last = {event.run_id: event for event in events if isinstance(event, (Checkpoint, RunEnded))}
    assert {type(event) for event in last.values()} == {RunEnded}
