"""The way in: a client, its session, and the workspace that its key belongs to."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

import backoff

from nexus_async.config import (
    ATTEMPTS,
    BYTES_PER_SECOND,
    CONNECT_TIMEOUT,
    MAX_BUFFERED_BYTES,
    MAX_IN_FLIGHT,
    READ_TIMEOUT,
    REQUESTS_PER_SECOND,
    RETRY_AFTER_CAP,
    TIMEOUT,
    USER_AGENT,
    choose_endpoint,
    choose_secret_key,
    positive,
    positive_count,
)
from nexus_async.errors import ConfigurationError, InvalidArgumentError
from nexus_async.http.attempts import Observer
from nexus_async.http.protocol import get
from nexus_async.http.requester import Requester
from nexus_async.http.retry import RetryPolicy
from nexus_async.http.throttle import Throttle
from nexus_async.http.transport import AiohttpTransport
from nexus_async.loggers import show_log
from nexus_async.models.project import decode_projects
from nexus_async.models.workspace import Workspace, decode_workspace
from nexus_async.resources.endpoint import Endpoint
from nexus_async.resources.project import Project
from nexus_async.streaming import Room, Shared

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from types import TracebackType
    from typing import Self

    import aiohttp

    from nexus_async.http.attempts import OnAttempt, OnCall
    from nexus_async.http.stats import ClientStats


class Client(Endpoint):
    """Call Nexus.

    ```python
    async with Client("5aa41e8ba........") as client:
        project = client.get_project("proj_b705a........")
        runs = await project.runs.list()
    ```

    `secret_key` defaults to the variable `DATATURE_SECRET_KEY`, `endpoint` to `DATATURE_API_BASE_URL`, then to
    Nexus itself; both are read now. `certificate_file` and `private_key_file` (paths of PEM files) authenticate
    by mutual TLS in place of the key; `ca_file` names the authorities to trust in place of the system's.

    `timeout` seconds bound a whole call, attempts and pauses included; `connect_timeout` bounds each connection,
    `read_timeout` each silence of a call, while a poll is bounded as a whole alone. `attempts` is the number of
    tries of what is safe to repeat; starting a run is not, once it may have been received. An answer that asks
    for a pause above `retry_after_cap` seconds is raised at once.

    At most `max_in_flight` requests are under way and `requests_per_second` are sent; polls wait also where
    they bring more than `bytes_per_second`. A `throttle` in place of the three can be shared by several clients.
    Of logs that are followed, at most `max_buffered_bytes` are read and not handed out yet; a larger log is read
    alone.

    `session` is used and never closed; `connector` makes the connector of a session of our own. `jitter`
    turns a pause in seconds into the one that is made; `clock` gives the seconds since the Unix epoch.

    `on_attempt` is called with an `Attempt` after each attempt, those of polls included; `on_call` with a `Call`,
    and returns a context manager that is entered while that call is under way and yields what its attempts are
    told to, as `nexus_async.otel.OpenTelemetry` does. What they raise is logged, and breaks no call.

    A client may be made outside a loop. Leaving `async with` closes it, entering it again opens it.
    Raises `ConfigurationError` for what it cannot be made with.
    """

    _path = ""

    def __init__(
        self,
        secret_key: str | None = None,
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
        throttle: Throttle | None = None,
        requests_per_second: float | None = None,
        max_in_flight: int | None = None,
        bytes_per_second: float | None = None,
        max_buffered_bytes: int = MAX_BUFFERED_BYTES,
        session: aiohttp.ClientSession | None = None,
        connector: Callable[[], aiohttp.BaseConnector] | None = None,
        jitter: Callable[[float], float] = backoff.full_jitter,
        clock: Callable[[], float] = time.time,
        on_attempt: OnAttempt | None = None,
        on_call: OnCall | None = None,
    ) -> None:
        show_log()
        self.endpoint = choose_endpoint(endpoint)
        """The base URL of every request."""
        self.throttle = _choose_throttle(throttle, requests_per_second, max_in_flight, bytes_per_second)
        """What bounds the requests, and counts them."""
        headers = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        if certificate_file is None and private_key_file is None:
            headers["Secret-Key"] = choose_secret_key(secret_key)
        elif not self.endpoint.startswith("https:"):
            raise ConfigurationError(f"mutual TLS needs an https endpoint, and {self.endpoint} is none")
        elif secret_key is not None:
            raise ConfigurationError("give either a secret key or a certificate_file, not both")
        transport = AiohttpTransport(
            self.endpoint,
            headers=headers,
            connect_timeout=positive("connect_timeout", connect_timeout),
            read_timeout=positive("read_timeout", read_timeout),
            throttle=self.throttle,
            ssl_context=_ssl_context(certificate_file, private_key_file, ca_file),
            session=session,
            connector=connector,
        )
        retry = RetryPolicy(
            attempts=positive_count("attempts", attempts),
            retry_after_cap=positive("retry_after_cap", retry_after_cap),
            jitter=jitter,
        )
        observer = Observer(endpoint=self.endpoint, on_attempt=on_attempt, on_call=on_call, clock=clock)
        self._requester = Requester(
            transport, retry=retry, timeout=positive("timeout", timeout), observer=observer
        )
        room = Room(positive_count("max_buffered_bytes", max_buffered_bytes))
        self._shared = Shared(clock, room=room, jitter=jitter)

    def __repr__(self) -> str:
        return f"Client(endpoint={self.endpoint!r})"

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
        return self._requester.counts.stats(self.throttle)

    async def get_info(self) -> Workspace:
        """Return the workspace that the secret key belongs to."""
        return await self._requester.call(get("/workspace"), decode_workspace)

    async def list_projects(self) -> list[Project]:
        """Return every project of the workspace; `project.info` tells of each without another request."""
        infos = await self._requester.call(get("/workspace/projects"), decode_projects)
        return [Project(self._requester, info.id, info=info, shared=self._shared) for info in infos]

    def get_project(self, project_id: str) -> Project:
        """Return the project of that ID, with or without `proj_`. No request is made.

        `async with client.get_project(...) as project` closes the client at its end.
        """
        if not isinstance(project_id, str) or not project_id.removeprefix("proj_").strip():
            raise InvalidArgumentError(f"{project_id!r} is no project's ID, such as 'proj_b705a...'")
        full = project_id if project_id.startswith("proj_") else f"proj_{project_id}"
        return Project(self._requester, full, shared=self._shared)


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


def _ssl_context(
    certificate: str | PathLike[str] | None,
    private_key: str | PathLike[str] | None,
    authorities: str | PathLike[str] | None,
) -> ssl.SSLContext | None:
    if certificate is None and private_key is None and authorities is None:
        return None
    if (certificate is None) != (private_key is None):
        missing = "private_key_file" if private_key is None else "certificate_file"
        raise ConfigurationError(f"{missing} is missing: mutual TLS needs the certificate and its private key")
    try:
        context = ssl.create_default_context(cafile=authorities)
        if certificate is not None:
            context.load_cert_chain(certificate, private_key, password=_no_password)
    except (OSError, TypeError, ValueError) as failure:  # ssl.SSLError is an OSError
        files = ", ".join(str(file) for file in (certificate, private_key, authorities) if file is not None)
        raise ConfigurationError(f"cannot use {files} for TLS: {failure}") from None
    return context


def _no_password() -> str:
    raise ConfigurationError("private_key_file is encrypted: give one that is not, openssl pkey makes it")
