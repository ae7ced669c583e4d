"""Pieces for the tests of the dashboard: one over a local Nexus, and a session that asks it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from nexus_async import Checkpoint, Client, FixedInterval, Run, RunAdded
from nexus_async.dashboard import Dashboard
from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.models.run import RunExecution, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nexus_async import Project

CLASSES = ("cat", "dog", "Background")


class Showing(NamedTuple):
    nexus: LocalNexus
    project: Project
    dashboard: Dashboard


@asynccontextmanager
async def local_project(trainer: Any = None, **options: Any) -> AsyncIterator[tuple[LocalNexus, Project]]:
    async with (
        LocalNexus(trainer or ScriptedTrainer(), **options) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=200) as client,
    ):
        yield nexus, client.get_project(nexus.project_id)


@asynccontextmanager
async def showing(trainer: Any = None, *, projects: Any = None, **options: Any) -> AsyncIterator[Showing]:
    """Show the runs of a local Nexus; the options are the dashboard's."""
    async with (
        local_project(trainer, projects=projects) as (nexus, project),
        project.runs.watch(
            include_ended=True, pacing=FixedInterval(0.1), discovery_interval=0.2, settle=0.1
        ) as feed,
        Dashboard(feed, projects=[project], **options) as dashboard,
    ):
        yield Showing(nexus, project, dashboard)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as made:
        yield made


def address(dashboard: Dashboard, path: str = "/") -> str:
    """Return the URL of a path, without the token."""
    return dashboard.url.partition("/?")[0] + path


async def first_messages(answer: aiohttp.ClientResponse, count: int) -> list[dict[str, str]]:
    """Read so many server-sent events, each as its fields."""
    messages: list[dict[str, str]] = []
    fields: dict[str, str] = {}
    async with asyncio.timeout(30):
        async for line in answer.content:
            name, _, value = line.decode().rstrip("\n\r").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                messages.append(fields)
                fields = {}
            if len(messages) == count:
                break
    return messages


def run_of(run_id: str = "run_1", status: str = "Running", *, flow_id: str = "flow_1", since: int = 1) -> Run:
    return Run(
        id=run_id,
        project_id="proj_1",
        flow_id=flow_id,
        execution=RunExecution(),
        status=RunStatus(overview=status, update_data=since),
        create_date=0,
        update_date=0,
    )


def of_run(run_id: str = "run_1") -> dict[str, Any]:
    return {"project_id": "proj_1", "run_id": run_id, "id": "x", "cursor": "c"}


def added(run: Run) -> RunAdded:
    return RunAdded(**of_run(run.id), run=run)


def checkpoint(step: int, run_id: str = "run_1", **metrics: float) -> Checkpoint:
    return Checkpoint(**of_run(run_id), log_id="l", index=step, time=100.0 + step, step=step, metrics=metrics)
