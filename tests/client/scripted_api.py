"""An API that answers as a test says, on real or virtual time, and writes down what it was asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from nexus_async import Client, Project
from nexus_async.testing import is_virtual
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    Step = Callable[[web.Request], Awaitable[web.StreamResponse]]

KEY = "5aa41e8ba-scripted"
SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
RUN = {
    "id": "run_1",
    "projectId": "proj_1",
    "flowId": "flow_1",
    "execution": {},
    "status": {"overview": "Running", "message": "", "updateDate": 1},
    "createDate": 1,
    "updateDate": 1,
}
ANY = {**RUN, "deleted": True}
"""What a run's operations take for a run, and a deletion for its answer."""


@dataclass
class Received:
    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class ScriptedApi:
    """Answer each request with the next of the steps, and each after the last with the last."""

    steps: tuple[Step, ...]
    url: str = ""
    received: list[Received] = field(default_factory=list)

    @property
    def times(self) -> list[float]:
        return [round(received.at, 3) for received in self.received]

    def client(self, **options: Any) -> Client:
        """Make a client whose pauses are not shortened by chance."""
        defaults: dict[str, Any] = {"endpoint": self.url, "jitter": lambda pause: pause}
        if "throttle" not in options:
            defaults["requests_per_second"] = 1e6
        if is_virtual(asyncio.get_running_loop()) and "session" not in options:
            defaults["connector"] = VirtualConnector
        return Client(KEY, **{**defaults, **options})

    async def handle(self, request: web.Request) -> web.StreamResponse:
        at, body = asyncio.get_running_loop().time(), await request.read()
        self.received.append(Received(at, request.method, request.raw_path, request.headers, body))
        return await self.steps[min(len(self.received), len(self.steps)) - 1](request)


@asynccontextmanager
async def serving(*steps: Step) -> AsyncIterator[ScriptedApi]:
    api = ScriptedApi(steps)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield api
    finally:
        await runner.cleanup()


@asynccontextmanager
async def calling(*steps: Step, **options: Any) -> AsyncIterator[tuple[ScriptedApi, Project]]:
    """Serve, and give a project of a client with these options."""
    async with serving(*steps) as api, api.client(**options).get_project("proj_1") as project:
        yield api, project


def says(status: int = 200, body: object = ANY, headers: Mapping[str, str] | None = None) -> Step:
    """Answer with a body: bytes as they are, anything else as JSON."""
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def step(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, body=encoded, headers=headers, content_type="application/json")

    return step


async def drops(request: web.Request) -> web.StreamResponse:
    """Break the connection in place of an answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def drops_in_the_answer(request: web.Request) -> web.StreamResponse:
    """Break the connection in the body."""
    response = web.StreamResponse()
    response.content_length = 1000
    await response.prepare(request)
    await response.write(b"{")
    assert request.transport is not None
    request.transport.close()
    return response


async def hangs(request: web.Request) -> web.StreamResponse:
    """Never answer."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError


def answers_after(seconds: float) -> Step:
    """Answer late."""

    async def step(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await says()(request)

    return step


class Crowd:
    """Answer when `size` requests are there, and count those that are there at once."""

    def __init__(self, size: int) -> None:
        self.size, self.present, self.peak = size, 0, 0
        self.full = asyncio.Event()

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.present += 1
        self.peak = max(self.peak, self.present)
        if self.present >= self.size:
            self.full.set()
        await self.full.wait()
        for _ in range(50):  # turns of the loop, for others to come
            await asyncio.sleep(0)
        self.present -= 1
        return await says()(request)


async def get_run(project: Project) -> object:
    return await project.runs.get("run_1")


async def kill_run(project: Project) -> object:
    return await project.runs.kill("run_1")


async def delete_workflow(project: Project) -> object:
    return await project.workflows.delete("flow_1")


async def start_run(project: Project) -> object:
    return await project.runs.start("flow_1", SETUP)
