"""One call of a client to a server where something goes wrong, and what came of it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import socket
import ssl
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final

import aiohttp
import trustme
from aiohttp.abc import AbstractResolver
from raw_nexus import RawNexus, bound_socket, greeted, listening, well

from nexus_async import Client, NexusError, OutcomeUnknownError, RequestError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Mapping

    from aiohttp.abc import ResolveResult
    from matrix import Fault

    from nexus_async import Project

KEY: Final = "the-secret-key"
SETUP: Final = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
SECURE: Final = frozenset({"insecure", "another"})
CALLS: Final[Mapping[str, Callable[[Project], Awaitable[object]]]] = {
    "GET": lambda project: project.runs.get("run_1"),
    "PATCH": lambda project: project.runs.kill("run_1"),
    "POST": lambda project: project.runs.start("flow_1", SETUP),
    "DELETE": lambda project: project.workflows.delete("flow_1"),
}


@dataclass(frozen=True)
class Outcome:
    """Say what a call came to."""

    requests: int
    """That the server saw."""
    error: NexusError | None
    seconds: float
    """That the call took, of pauses and timeouts."""

    def __str__(self) -> str:
        parts = ["1 request" if self.requests == 1 else f"{self.requests} requests", _named(self.error)]
        if isinstance(self.error, RequestError) and self.error.attempts != self.requests:
            parts.append("1 attempt" if self.error.attempts == 1 else f"{self.error.attempts} attempts")
        if (asked := getattr(self.error, "retry_after", None)) is not None:
            parts.append(f"retry_after {asked:g} s")
        if self.seconds:
            parts.append(f"{self.seconds:g} s")
        return ", ".join(parts)


def _named(error: BaseException | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, OutcomeUnknownError):
        return f"OutcomeUnknownError of {_named(error.reason)}"
    return " ".join([type(error).__name__, str(getattr(error, "status", ""))]).strip()


class Resolver(AbstractResolver):
    """Know no name, until it is told to."""

    def __init__(self) -> None:
        self.knows = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if not self.knows:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": family, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Do nothing: there is nothing to close."""


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def papers_of(host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(host).configure_cert(context)
    return context


@cache
def trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


@dataclass
class Scene:
    """Hold a client with a pool of one connection, a server that is not well, and another nobody may ask."""

    fault: Fault
    stack: AsyncExitStack
    bound: socket.socket
    nexus: RawNexus
    elsewhere: RawNexus
    resolver: Resolver
    client: Client

    async def begin(self) -> None:
        if self.fault.place == "full":
            await _fill(self.bound, self.stack)
        elif self.fault.place != "refusing":
            papers = papers_of("another.example") if self.fault.place == "another" else None
            self._first = await self.stack.enter_async_context(AsyncExitStack())
            await self._first.enter_async_context(listening(self.nexus, self.bound, papers))
        self.nexus.answer, self.nexus.wait, self.nexus.greet = (
            self.fault.answer,
            self.fault.wait,
            self.fault.greet,
        )

    async def heal(self) -> None:
        """Let all be well from now on."""
        self.nexus.answer, self.nexus.wait, self.nexus.greet = well, greeted, greeted
        self.resolver.knows = True
        if self.fault.place in SECURE:
            await self._first.aclose()
        if self.fault.place in {"refusing", "full", *SECURE}:
            papers = papers_of("127.0.0.1") if self.fault.place in SECURE else None
            await self.stack.enter_async_context(listening(self.nexus, self.bound, papers))


@asynccontextmanager
async def staged(fault: Fault) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        bound, other = (stack.enter_context(bound_socket()) for _ in range(2))
        nexus, elsewhere, resolver = RawNexus(), RawNexus(), Resolver()
        await stack.enter_async_context(listening(elsewhere, other))
        nexus.elsewhere = f"http://127.0.0.1:{other.getsockname()[1]}"
        client = await stack.enter_async_context(Client(KEY, **_options(fault, bound, resolver)))
        scene = Scene(fault, stack, bound, nexus, elsewhere, resolver, client)
        await scene.begin()
        yield scene


def _options(fault: Fault, bound: socket.socket, resolver: Resolver) -> dict[str, Any]:
    scheme = "https" if fault.place in SECURE else "http"
    host = "nexus.example" if fault.place == "unknown" else "127.0.0.1"
    return {
        "endpoint": f"{scheme}://{host}:{bound.getsockname()[1]}",
        "connector": partial(aiohttp.TCPConnector, limit=1, resolver=resolver, ssl=trusting()),
        "requests_per_second": 1e6,
        "max_in_flight": 1,
        "jitter": lambda pause: pause,
        **fault.options,
    }


async def _fill(bound: socket.socket, stack: AsyncExitStack) -> None:
    """Let so many wait to be accepted that the system answers no more of them."""
    bound.listen(0)
    for _ in range(2):
        waiting = stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(bound.getsockname())
    await asyncio.sleep(0)


async def observe(fault: Fault, method: str) -> Outcome:
    """Make a call while `fault` lasts, and then another, which has to do."""
    loop = asyncio.get_running_loop()
    async with staged(fault) as scene:
        project = scene.client.get_project("proj_1")
        if fault.warm:
            await project.runs.get("run_1")
            await asyncio.sleep(1)
        before, begun = scene.nexus.requests, loop.time()
        error = await _error_of(CALLS[method](project))
        outcome = Outcome(scene.nexus.requests - before, error, round(loop.time() - begun, 2))
        await scene.heal()
        await asyncio.sleep(fault.rest)
        assert await project.runs.get("run_1")
        assert scene.elsewhere.connections == 0
    if error is not None:
        check_error(error, method)
    return outcome


async def _error_of(call: Awaitable[object]) -> NexusError | None:
    try:
        await call
    except NexusError as error:
        return error
    return None


def check_error(error: NexusError, method: str) -> None:
    """Hold an error to what is promised of each."""
    assert isinstance(error, RequestError)
    assert (error.method, error.path.startswith("/projects/proj_1/")) == (method, True)
    if isinstance(error, OutcomeUnknownError):
        assert (error.project_id, error.flow_id) == ("proj_1", "flow_1")
    assert str(pickle.loads(pickle.dumps(error))) == str(copy.copy(error)) == str(error)
    assert len(str(error).splitlines()) == 1
    assert KEY not in f"{error} {error!r} {vars(error)}"
