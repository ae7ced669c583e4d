"""Pieces for the tests of the dashboard: one over a local Nexus, and a session that asks it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

from nexus_async import Checkpoint, Client, FixedInterval, Run, RunAdded
from nexus_async.dashboard import Dashboard
from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.models.run import RunExecution, RunStatus

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from playwright.async_api import Page

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
        Client(nexus.secret_key, endpoint=nexus.url, requests_per_second=200, bytes_per_second=1e9) as client,
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
            name, _, value = line.decode().rstrip("\n\r").partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            elif "data" in fields:
                messages.append(fields)
                fields = {}
            if len(messages) == count:
                break
    return messages


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - there is nothing to be woken by
            await asyncio.sleep(0.01)


async def seen(page: Page, expression: str, argument: object = None) -> None:
    """Wait until a page answers that something is so. (What playwright has for this is forbidden by the policy.)"""
    async with asyncio.timeout(30):
        while not await page.evaluate(expression, argument):  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)


@asynccontextmanager
async def proxied(dashboard: Dashboard) -> AsyncIterator[tuple[str, Callable[[], None]]]:
    """Give the dashboard's URL by way of a proxy, and what breaks off all connections through it."""
    port = int(address(dashboard, "").rpartition(":")[2])
    open_ones: set[asyncio.StreamWriter] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.add(writer)
        with suppress(ConnectionError):
            while chunk := await reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        writer.close()
        open_ones.discard(writer)

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, before), carry(behind, writer))

    def break_off() -> None:
        for writer in list(open_ones):
            writer.transport.abort()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    proxy_port = server.sockets[0].getsockname()[1]
    try:
        yield dashboard.url.replace(f":{port}/", f":{proxy_port}/"), break_off
    finally:
        server.close()
        break_off()
        await until(lambda: not open_ones)


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
