"""The dashboard and its lifetime."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable  # noqa: TC003 - part of the public signatures
from contextlib import AsyncExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Self

from aiohttp import web

from nexus_async.config import positive_count
from nexus_async.dashboard.guard import ALL_ADDRESSES, LOOPBACK_NAMES, Guard
from nexus_async.dashboard.lookup import Lookup
from nexus_async.dashboard.routes import Routes
from nexus_async.dashboard.shown import Shown
from nexus_async.dashboard.state import State
from nexus_async.errors import ConfigurationError
from nexus_async.resources.project import Project
from nexus_async.streaming import Feed

if TYPE_CHECKING:
    from types import TracebackType

    from nexus_async.streaming import Hub

ENDED: Final = 20
"""Runs that are over and shown all the same: what a new one is compared with."""
REPLAY: Final = 5_000
"""Events that a page that was away for a moment is told; after more of them it begins anew."""
CLOSE_TIMEOUT: Final = 2.0
MAX_PORT: Final = 65535

_TOKEN: Final = re.compile(r"[\w-]{16,}", re.ASCII)


class Dashboard:
    """Show runs on a live page, in any browser on this machine.

    ```python
    async with Dashboard(project) as dashboard:
        print(dashboard.url)
        await dashboard.wait()
    ```

    `source` is a project, whose runs that are not over are shown, and those that are started later, and the last
    `ended` that are over (20 by default); or a feed that was entered, and is used by nothing else. The page of a
    feed knows titles and confusion matrices, and kills, with the `projects` that it is of.

    `host` is where it listens, by default for this machine alone; `port` 0 takes a free one. Whoever has the
    `token`, which is in `url`, is let in; by default it is random, and the same after the dashboard is closed and
    entered anew. With `allow_kill` a run can be killed from the page. `clock` gives the seconds since the Unix
    epoch.

    Raises `ConfigurationError` for what makes no sense. Entering it raises `OSError` where the port is taken.
    """

    def __init__(
        self,
        source: Project | Feed,
        *,
        projects: Iterable[Project] | None = None,
        ended: int | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        allow_kill: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        if find_spec("aiohttp_sse") is None:
            raise ModuleNotFoundError("the dashboard needs aiohttp-sse: pip install '.[dashboard]' in a clone")
        self._source = source
        self._lookup = Lookup(_projects_of(source, projects))
        self._ended = _checked_ended(source, ended)
        self._host = host
        self._port = _checked_port(port)
        self.token = _checked_token(token)
        """What lets a browser in."""
        self._guard = Guard(self.token, host)
        self._allow_kill = allow_kill
        self._clock = clock
        self._stack: AsyncExitStack | None = None
        self._hub: Hub | None = None
        self._filling: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        if self._stack is not None:
            raise RuntimeError("this dashboard is entered already")
        async with AsyncExitStack() as stack:
            feed = await self._feed(stack)
            self._hub = await stack.enter_async_context(feed.hub(replay=REPLAY))
            state = State(self._hub, self._clock)
            self._filling = asyncio.create_task(state.fill(), name="dashboard")
            stack.push_async_callback(_ended_quietly, self._filling)
            await self._listen(state, stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Serve no more. A feed that it was given goes on; no run is killed."""
        stack, self._stack = self._stack, None
        if stack is not None:
            await stack.aclose()

    async def wait(self) -> None:
        """Wait until the feed is over. Raises what ended it."""
        await self.hub.wait()

    @property
    def hub(self) -> Hub:
        """Return the hub that the pages are told by; others may subscribe to it as well."""
        if self._stack is None or self._hub is None:
            raise RuntimeError("a dashboard is used inside `async with`")
        return self._hub

    @property
    def url(self) -> str:
        """Return what to open in a browser: the token is in it, so it is not for others."""
        return f"{self._address}?token={self.token}"

    def new_url(self) -> str:
        """Return a URL that lets one browser in, once: for where others may see what a browser is opened with.

        The list of processes shows that, to all users of a machine.
        """
        return f"{self._address}?ticket={self._guard.new_ticket()}"

    @property
    def _address(self) -> str:
        if self._port == 0:
            raise RuntimeError("the dashboard has no port yet: enter it with `async with` first")
        host = "127.0.0.1" if self._host in ALL_ADDRESSES | LOOPBACK_NAMES - {"::1"} else self._host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/"

    async def _feed(self, stack: AsyncExitStack) -> Feed:
        if isinstance(self._source, Feed):
            return self._source
        shown = Shown.of(await self._source.runs.list(), ended=self._ended)
        return await stack.enter_async_context(self._source.runs.watch(include_ended=True, where=shown))

    async def _listen(self, state: State, stack: AsyncExitStack) -> None:
        app = Routes(
            self._guard, self._lookup, state, cookie=self._cookie, allow_kill=self._allow_kill
        ).application()
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        stack.push_async_callback(state.hub.aclose)  # first: streams have no end of their own
        host = "127.0.0.1" if self._host == "localhost" else self._host
        await web.TCPSite(runner, host or None, self._port).start()
        self._port = runner.addresses[0][1]

    @property
    def _cookie(self) -> str:
        """Return the cookie's name: cookies of one host are shared by all its ports, and so by all dashboards."""
        return f"nexus-async-{hashlib.sha256(self.token.encode()).hexdigest()[:8]}"


def _projects_of(source: Project | Feed, projects: Iterable[Project] | None) -> list[Project]:
    if isinstance(source, Project):
        if projects is not None:
            raise ConfigurationError("projects= is for a feed: a project is its own")
        return [source]
    if not isinstance(source, Feed):
        raise ConfigurationError(f"{source!r} is neither a project nor a feed")
    return list(projects or ())


def _checked_ended(source: Project | Feed, ended: int | None) -> int:
    if ended is None:
        return ENDED
    if isinstance(source, Feed):
        raise ConfigurationError("ended= is for a project: a feed has include_ended and where")
    return ended if ended == 0 else positive_count("ended", ended)


def _checked_port(port: int) -> int:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port <= MAX_PORT:
        raise ConfigurationError(f"port={port!r} must lie between 0 and {MAX_PORT}; 0 takes a free one")
    return port


def _checked_token(token: str | None) -> str:
    if token is None:
        return secrets.token_urlsafe(24)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            "a token is 16 letters, digits, - and _ or more of them: leave it out to have one made up"
        )
    return token


async def _ended_quietly(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()  # who waits for the hub is told it
