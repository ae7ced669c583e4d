"""The way in: a client, its session, and the workspace that its key belongs to."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING

import backoff

from nexus_async.config import (
    ATTEMPTS,
    BYTES_PER_SECOND,
    CONNECT_TIMEOUT,
    MAX_BUFFERED_BYTES,
    MAX_IN_FLIGHT,
    MAX_RESPONSE_BYTES,
    READ_TIMEOUT,
    REQUESTS_PER_SECOND,
    RETRY_AFTER_CAP,
    TIMEOUT,
    USER_AGENT,
    Secret,
    choose_endpoint,
    choose_secret_key,
    positive_count,
)
from nexus_async.errors import ConfigurationError, InvalidArgumentError
from nexus_async.http.aiohttp_transport import AiohttpTransport
from nexus_async.http.attempts import Observer
from nexus_async.http.key import SecretKey
from nexus_async.http.options import Options
from nexus_async.http.pool import Pool
from nexus_async.http.protocol import get
from nexus_async.http.proxy import check_proxy
from nexus_async.http.requester import Requester
from nexus_async.http.server_time import ServerTime
from nexus_async.http.throttle import Throttle
from nexus_async.http.tls import ssl_context
from nexus_async.loggers import show_log
from nexus_async.models.project import decode_projects
from nexus_async.models.workspace import Workspace, decode_workspace
from nexus_async.resources.endpoint import Endpoint
from nexus_async.resources.project import Project
from nexus_async.streaming import Room, Shared

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from os import PathLike
    from types import TracebackType
    from typing import Self

    import aiohttp

    from nexus_async.http.attempts import OnAttempt, OnCall
    from nexus_async.http.key import KeySource
    from nexus_async.http.stats import ClientStats


class Client(Endpoint):
    """Call Nexus.

    ```python
    async with Client("5aa41e8ba........") as client:
        project = client.get_project("proj_b705a........")
        runs = await project.runs.list()
    ```

    `secret_key` defaults to the variable `DATATURE_SECRET_KEY`, `endpoint` to `DATATURE_API_BASE_URL`, then to
    Nexus itself; both are read now. A function in place of the key, plain or asynchronous, is asked for it before
    the first request and again after a 401. `certificate_file` and `private_key_file` (paths of PEM files)
    authenticate by mutual TLS in place of the key; `ca_file` names the authorities to trust in place of the
    system's.

    `timeout` seconds bound a whole call, attempts and pauses included; `connect_timeout` bounds each
    connection, `read_timeout` each silence, but where a followed log is read, which is bounded as a whole
    alone. `attempts` is the number of tries of what is safe to repeat; starting a run is not, once it may have
    been received. An answer that asks for a pause above `retry_after_cap` seconds is raised at once. More than
    `max_response_bytes` are read of no answer, neither as received nor decompressed. All six can be changed for
    some calls: `with_options`.

    At most `max_in_flight` requests are under way and `requests_per_second` are sent; logs that are followed wait
    also where they bring more than `bytes_per_second`. A `throttle` in place of the three can be shared by
    several clients. Of logs that are followed, at most `max_buffered_bytes` are read and not handed out yet; a
    larger log is read alone.

    `session` is used and never closed, and so is `connector`; a function in its place makes the connector of a
    session of our own. `proxy` is the URL of an HTTP proxy, and empty for none; else it is what the environment
    says when the connections are opened, and `NO_PROXY` is respected. `jitter` turns a pause in seconds into the
    one that is made; `clock` gives the seconds since the Unix epoch.

    `on_attempt` is called with an `Attempt` after each attempt, those of polls included; `on_call` with a `Call`,
    and returns a context manager that is entered while that call is under way and yields what its attempts are
    told to, as `nexus_async.otel.OpenTelemetry` does. What they raise is logged, and breaks no call.

    A client may be made outside a loop. Leaving `async with` closes it, entering it again opens it.
    Raises `ConfigurationError` for what it cannot be made with.
    """

    _path = ""

    def __init__(
        self,
        secret_key: str | Callable[[], str | Awaitable[str]] | None = None,
        *,
        endpoint: str | None = None,
        certificate_file: str | PathLike[str] | None = None,
        private_key_file: str | PathLike[str] | None = None,
        ca_file: str | PathLike[str] | None = None,
        timeout: float = TIMEOUT,
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        attempts: int = ATTEMPTS,
        retry_after_cap: float = RETRY_AFTER_CAP,
        max_response_bytes: int = MAX_RESPONSE_BYTES,
        throttle: Throttle | None = None,
        requests_per_second: float | None = None,
        max_in_flight: int | None = None,
        bytes_per_second: float | None = None,
        max_buffered_bytes: int = MAX_BUFFERED_BYTES,
        session: aiohttp.ClientSession | None = None,
        connector: aiohttp.BaseConnector | Callable[[], aiohttp.BaseConnector] | None = None,
        proxy: str | None = None,
        jitter: Callable[[float], float] = backoff.full_jitter,
        clock: Callable[[], float] = time.time,
        on_attempt: OnAttempt | None = None,
        on_call: OnCall | None = None,
    ) -> None:
        key, given_proxy = _hidden_key(secret_key), None if proxy is None else Secret(proxy)
        del secret_key, proxy  # tracebacks show what a frame holds
        if session is not None and (connector is not None or given_proxy is not None):
            raise ConfigurationError("a session has its own connector and proxy: give either it or those")
        show_log()
        self.endpoint = choose_endpoint(endpoint)
        """The base URL of every request."""
        self.throttle = _choose_throttle(throttle, requests_per_second, max_in_flight, bytes_per_second)
        """What bounds the requests, and counts them."""
        if certificate_file is None and private_key_file is None:
            key = key if callable(key) else choose_secret_key(key)
        elif not self.endpoint.startswith("https:"):
            raise ConfigurationError(f"mutual TLS needs an https endpoint, and {self.endpoint} is none")
        elif key is not None:
            raise ConfigurationError("give either a secret key or a certificate_file, not both")
        options = Options(
            timeout=timeout,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            attempts=attempts,
            retry_after_cap=retry_after_cap,
            max_response_bytes=max_response_bytes,
        ).checked()
        transport = AiohttpTransport(
            Pool(
                self.endpoint,
                proxy=given_proxy and check_proxy(given_proxy),
                session=session,
                connector=connector,
            ),
            key=SecretKey(key, headers={"User-Agent": USER_AGENT, "Accept": "*/*"}),
            options=options,
            throttle=self.throttle,
            server_time=ServerTime(clock),
            ssl_context=ssl_context(certificate_file, private_key_file, ca_file),
        )
        observer = Observer(endpoint=self.endpoint, on_attempt=on_attempt, on_call=on_call, clock=clock)
        self._requester = Requester(transport, options=options, jitter=jitter, observer=observer)
        room = Room(positive_count("max_buffered_bytes", max_buffered_bytes))
        self._shared = Shared(clock, room=room, jitter=jitter)

    def __repr__(self) -> str:
        return f"Client(endpoint={getattr(self, 'endpoint', None)!r})"  # also of one that is only being made

    async def __aenter__(self) -> Self:
        self._requester.reopen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close every connection. A second time does nothing; calls raise `ClientClosedError` from now on."""
        await self._requester.aclose()

    def stats(self) -> ClientStats:
        """Return what this client did so far, and what its throttle allows now."""
        return self._requester.counts.stats(self.throttle, self._requester.budget)

    async def get_info(self) -> Workspace:
        """Return the workspace that the secret key belongs to."""
        return await self._requester.call(get("/workspace"), decode_workspace)

    async def list_projects(self) -> list[Project]:
        """Return every project of the workspace; `project.info` tells of each without another request."""
        infos = await self._requester.call(get("/workspace/projects"), decode_projects)
        return [Project(self._requester, info.id, info=info, shared=self._shared) for info in infos]

    def with_options(
        self,
        *,
        timeout: float | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        attempts: int | None = None,
        retry_after_cap: float | None = None,
        max_response_bytes: int | None = None,
    ) -> Self:
        """Return a view of this client whose calls are bounded otherwise, and those of its projects.

        ```python
        await client.with_options(timeout=5, attempts=1).get_info()
        ```

        It shares all else with the client: connections, throttle, retry budget and closing. What is not given is
        as in the client. Raises `ConfigurationError` for what makes no sense.
        """
        options = self._requester.options.changed(
            timeout=timeout,
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            attempts=attempts,
            retry_after_cap=retry_after_cap,
            max_response_bytes=max_response_bytes,
        )
        view = copy.copy(self)
        view._requester = self._requester.with_options(options)  # noqa: SLF001 - it is one of us
        return view

    def get_project(self, project_id: str) -> Project:
        """Return the project of that ID, with or without `proj_`. No request is made.

        `async with client.get_project(...) as project` closes the client at its end.
        """
        if not isinstance(project_id, str) or not project_id.removeprefix("proj_").strip():
            raise InvalidArgumentError(f"{project_id!r} is no project's ID, such as 'proj_b705a...'")
        full = project_id if project_id.startswith("proj_") else f"proj_{project_id}"
        return Project(self._requester, full, shared=self._shared)


def _hidden_key(given: str | KeySource | None) -> Secret | KeySource | None:
    if given is None or callable(given):
        return given
    return Secret(given if isinstance(given, str) else "\0")  # which no header may carry


def _choose_throttle(
    throttle: Throttle | None,
    requests_per_second: float | None,
    max_in_flight: int | None,
    bytes_per_second: float | None,
) -> Throttle:
    if throttle is None:
        return Throttle(
            requests_per_second=REQUESTS_PER_SECOND if requests_per_second is None else requests_per_second,
            max_in_flight=MAX_IN_FLIGHT if max_in_flight is None else max_in_flight,
            bytes_per_second=BYTES_PER_SECOND if bytes_per_second is None else bytes_per_second,
        )
    limits = {
        "requests_per_second": requests_per_second,
        "max_in_flight": max_in_flight,
        "bytes_per_second": bytes_per_second,
    }
    given = [f"{name}={limit!r}" for name, limit in limits.items() if limit is not None]
    if given:
        what = ", ".join(given)
        raise ConfigurationError(f"give either a throttle or {what}: Throttle({what}) makes one that has it")
    return throttle
