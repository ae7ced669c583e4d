"""The connections of one client: an aiohttp session, opened at first use in the loop that uses it."""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import TYPE_CHECKING, Final, NamedTuple

import aiohttp
from yarl import URL

from nexus_async.config import Secret
from nexus_async.http.proxy import proxy_of_environment

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping

READ_BUFFER: Final = 1 << 20
"""Bytes; a third less CPU for long bodies than 64 KiB, measured."""

_LEFT: Final[dict[aiohttp.ClientSession, AsyncGenerator[None]]] = {}
"""Sessions that nobody uses any more while their loop goes on: it closes them at its end."""


class Pool:
    """Hold a session of our own, or use one that is given and never close it.

    `connector` is one that is given, and never closed, or a function that makes one. `proxy` is a URL, empty for
    none, and None for what the environment says when the session is opened.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        proxy: Secret | None = None,
        session: aiohttp.ClientSession | None = None,
        connector: aiohttp.BaseConnector | Callable[[], aiohttp.BaseConnector] | None = None,
    ) -> None:
        self.endpoint = endpoint
        """The base URL of every request."""
        self._url = URL(endpoint, encoded=True)
        self._base_path = self._url.raw_path.rstrip("/")
        self._given = session
        self._opened: _Opened | None = None
        self._proxy = proxy
        self._connector = connector
        self.proxy_headers: Mapping[str, str] | None = None
        """What each request tells the proxy of who asks."""

    def url_of(self, path: str) -> URL:
        """Return the URL of a path below the endpoint, without parsing the endpoint again."""
        if "?" in path:
            return URL(self.endpoint + path, encoded=True)
        return self._url.with_path(self._base_path + path, encoded=True)

    @property
    def is_given(self) -> bool:
        """Tell whether the session belongs to somebody else."""
        return self._given is not None

    @property
    def session(self) -> aiohttp.ClientSession | None:
        """Return the session where it is open in this loop, which is nearly always; else None."""
        opened = self._opened
        if opened is None:
            return self._given
        return opened.session if opened.loop is asyncio.get_running_loop() and not opened.session.closed else None

    async def open(self) -> aiohttp.ClientSession:
        """Open a session in this loop; one that another loop left open is closed."""
        named = proxy_of_environment(self.endpoint) if self._proxy is None else self._proxy
        proxy, self.proxy_headers = _without_password(named) if named else (None, None)
        session = aiohttp.ClientSession(
            connector=self._connect(),
            connector_owner=not isinstance(self._connector, aiohttp.BaseConnector),
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER,
            proxy=proxy,
        )
        left, self._opened = self._opened, _Opened(session, asyncio.get_running_loop(), _life_of(session))
        await anext(self._opened.life)
        if left is not None:
            await left.close()
        return session

    async def aclose(self) -> None:
        """Close every connection; a session that was given is left open."""
        opened, self._opened = self._opened, None
        if opened is not None:
            await opened.close()

    def _connect(self) -> aiohttp.BaseConnector:
        if self._connector is None:
            return self._tcp_connector()
        return self._connector if isinstance(self._connector, aiohttp.BaseConnector) else self._connector()

    def _tcp_connector(self) -> aiohttp.BaseConnector:
        return aiohttp.TCPConnector(limit=0)  # bounded by the throttle, whatever the connector

    def __del__(self) -> None:
        opened = getattr(self, "_opened", None)
        if opened is None or opened.session.closed or sys.is_finalizing():
            return
        opened.leave()
        warnings.warn(
            f"a client of {self.endpoint} was forgotten with its connections open: "
            "use `async with Client(...)`, or `await client.aclose()`",
            ResourceWarning,
            stacklevel=2,
            source=self,
        )


def _without_password(proxy: Secret) -> tuple[URL, Mapping[str, str] | None]:
    """Take the name and the password out of a proxy's URL, which aiohttp keeps where tracebacks show it.

    They are the second value, of which aiohttp makes a `Proxy-Authorization` that goes to the proxy alone.
    """
    whole = URL(proxy)
    if whole.user is None and whole.password is None:
        return whole, None
    credentials = Secret(aiohttp.encode_basic_auth(whole.user or "", whole.password or ""))
    return whole.with_user(None), {"Authorization": credentials}


class _Opened(NamedTuple):
    session: aiohttp.ClientSession
    loop: asyncio.AbstractEventLoop
    life: AsyncGenerator[None]

    async def close(self) -> None:
        """Close the session, in its own loop where that goes on."""
        if self.loop is asyncio.get_running_loop() or self.loop.is_closed():
            await self.life.aclose()
        elif self.loop.is_running():  # in another thread
            asyncio.run_coroutine_threadsafe(_close(self.life), self.loop)
        else:
            self.leave()

    def leave(self) -> None:
        """Let the loop close the session at its end."""
        if not self.loop.is_closed():
            _LEFT[self.session] = self.life


async def _life_of(session: aiohttp.ClientSession) -> AsyncGenerator[None]:
    """Close a session when this ends, which a loop sees to before it closes (`loop.shutdown_asyncgens`)."""
    try:
        yield
    finally:
        _LEFT.pop(session, None)
        await session.close()


async def _close(life: AsyncGenerator[None]) -> None:
    await life.aclose()
