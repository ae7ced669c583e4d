"""The server and its lifetime."""

from __future__ import annotations

import ipaddress
import secrets
from typing import TYPE_CHECKING, Self

from aiohttp import web

from nexus_async.local.clock import ServerClock
from nexus_async.local.errors import InvalidArgumentError, NotStartedError
from nexus_async.local.faults.faults import Faults
from nexus_async.local.gate import Gate
from nexus_async.local.identifiers import Identifiers
from nexus_async.local.registry import RunRegistry
from nexus_async.local.routes import ProjectRoutes
from nexus_async.local.run_routes import RunRoutes
from nexus_async.local.setup import read_setup
from nexus_async.local.state import NexusState
from nexus_async.local.trainers.curve import CurveTrainer
from nexus_async.local.training import Trainings
from nexus_async.local.workspace import Workspace

if TYPE_CHECKING:
    import ssl
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from nexus_async.local.projects import LocalProject
    from nexus_async.local.run import LocalRun
    from nexus_async.local.trainers.trainer import Trainer

_MAX_BODY_BYTES = 1_000_000
_MAX_PORT = 65535
_CLOSE_TIMEOUT = 2.0


class LocalNexus:
    """Serve the Nexus API on this machine, and train what is started.

    `trainer` makes runs go on, by default a `CurveTrainer`. `projects` replaces the two default projects.
    `secret_key` is what requests have to carry; by default one is made up, and none is read from the
    environment. `host` is a loopback address and `port` 0 takes a free one. With `ssl_context` the server
    speaks HTTPS; where that verifies client certificates, one of these stands for the key. `seed` decides
    all IDs, and which requests a fault strikes by chance. `epoch` is the server's time at its start, in
    milliseconds since the Unix epoch, by default the computer's; from there it moves with the event loop's
    clock. `max_runs` bounds the runs that are kept: the one that ended first is forgotten for a new one, and
    where none has ended the start is refused. `max_log_bytes` bounds each log; a run that reaches it is
    `Errored`.

    Raises `InvalidArgumentError` for an argument that is out of its range.
    """

    def __init__(
        self,
        trainer: Trainer | None = None,
        *,
        projects: Sequence[LocalProject] | None = None,
        secret_key: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        seed: int = 0,
        epoch: int | None = None,
        max_runs: int = 20_000,
        max_log_bytes: int = 64_000_000,
    ) -> None:
        _check_address(host, port)
        if secret_key == "":
            raise InvalidArgumentError("secret_key is empty: give a key, or None to have one made up")
        self.secret_key = secret_key or f"local-{secrets.token_hex(16)}"
        """The key that requests have to carry."""
        identifiers = Identifiers(seed)
        self._state = NexusState(
            clock=ServerClock(epoch),
            identifiers=identifiers,
            workspace=Workspace(projects, identifiers),
            registry=RunRegistry(max_runs),
            trainings=Trainings(CurveTrainer() if trainer is None else trainer),
            max_log_bytes=max_log_bytes,
        )
        self.faults = Faults(self._state.clock, seed)
        """What befalls requests: nothing, until faults are added."""
        self._host = host
        self._port = port
        self._ssl_context = ssl_context
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen, unless it does already.

        A server that was closed listens again on the same port and still has its runs, but goes on with no
        training.

        Raises `OSError` where the port is taken.
        """
        if self._runner is not None:
            return
        self._runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_CLOSE_TIMEOUT)
        if not self._state.clock.is_started:
            self._state.clock.start()
            self._state.workspace.open(self.now())
        await self._runner.setup()
        # "localhost" may be two addresses, and a free port of one need not be free of the other
        host = "127.0.0.1" if self._host == "localhost" else self._host
        try:
            await web.TCPSite(self._runner, host, self._port, ssl_context=self._ssl_context).start()
        except BaseException:
            await self.close()
            raise
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Cancel all trainings and stop to listen; closing twice is closing once."""
        await self._state.trainings.close()
        self.faults.release()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def url(self) -> str:
        """The base URL, without a slash at its end.

        Raises `NotStartedError` where no port is known yet.
        """
        if self._port == 0:
            raise NotStartedError("the local server has no port yet: enter it with 'async with' first")
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{'https' if self._ssl_context else 'http'}://{host}:{self._port}"

    @property
    def projects(self) -> tuple[LocalProject, ...]:
        """The projects, with their IDs."""
        return self._state.workspace.projects

    @property
    def project_id(self) -> str:
        """The first project's ID."""
        return self.projects[0].id

    @property
    def runs(self) -> Mapping[str, LocalRun]:
        """All runs by their IDs, in the order of their start; read only."""
        return self._state.registry.all

    def run(self, run_id: str) -> LocalRun:
        """Give the run of this ID; raises `UnknownIdError`."""
        return self._state.registry.find(run_id)

    def now(self) -> int:
        """Tell the server's time, in milliseconds since the Unix epoch."""
        return self._state.clock.now()

    def start_run(
        self,
        flow_id: str | None = None,
        setup: Mapping[str, object] | None = None,
        *,
        project_id: str | None = None,
    ) -> LocalRun:
        """Start a run as the API does, without a request.

        `flow_id` is by default the first workflow's, `project_id` the first project's. `setup` is what a
        caller of `runs.start` gives, in the names of Python or of the wire; what it lacks has defaults (a
        GPU_T4, an evaluation each 20 steps, no limit).

        Raises `InvalidSetupError`, `UnknownIdError`, `NotStartedError`, and `TooManyRunsError` where all
        runs are active.
        """
        if self._runner is None:
            raise NotStartedError("the local server trains nothing before its start and after its end")
        project = self._state.workspace.project(project_id or self.project_id)
        execution, features = read_setup(setup)
        return self._state.start_run(project, flow_id, execution, features)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        Gate(self.secret_key, self._state.clock, self._state.identifiers).attach(app)
        ProjectRoutes(self._state).attach(app)
        RunRoutes(self._state).attach(app)
        self.faults.attach(app)
        return app


def _check_address(host: str, port: int) -> None:
    if not 0 <= port <= _MAX_PORT:
        raise InvalidArgumentError(f"port={port} must lie between 0 and {_MAX_PORT}; 0 takes a free one")
    if host != "localhost" and not _is_loopback(host):
        raise InvalidArgumentError(
            f"host={host!r} is not a loopback address: this server is for one machine; use 127.0.0.1 or ::1"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
