"""A local Nexus in a thread of its own, for commands that run a loop of theirs, and what a command came to."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from nexus_async.local import LocalNexus, LocalProject, LocalWorkflow, ScriptedTrainer

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from nexus_async.local import LocalRun, Trainer

T = TypeVar("T")
HOUR = 3_600_000
KEY = "local-nexus-key"


class Done(NamedTuple):
    """What a command came to."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class NexusThread:
    """Serve runs that do what a test says. All that is asked of it happens on the thread's loop."""

    def __init__(self, trainer: Trainer | None = None, *, projects: list[LocalProject] | None = None) -> None:
        flows = [LocalWorkflow(title="First flow"), LocalWorkflow(title="Second flow")]
        given = projects or [
            LocalProject(name="Cells", type="ObjectDetection", workflows=flows),
            LocalProject(name="Others"),
        ]
        self.nexus = LocalNexus(trainer or ScriptedTrainer(), secret_key=KEY, projects=given)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(30)

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self.nexus:
            self._ready.set()
            await self._over.wait()

    def do(self, act: Callable[[], T]) -> T:
        async def acting() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result(30)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "DATATURE_API_BASE_URL": self.nexus.url,
            "DATATURE_SECRET_KEY": KEY,
            "DATATURE_PROJECT": self.nexus.project_id,
        }

    def start(self, *losses: float, flow: int = 0, **setup: Any) -> LocalRun:
        """Start a run that has written a checkpoint for each loss."""

        def start() -> LocalRun:
            run = self.nexus.start_run(self.nexus.projects[0].workflows[flow].id, setup)
            for step, loss in enumerate(losses, start=1):
                run.checkpoint(step, totalLoss=loss)
            return run

        return self.do(start)

    def ended(self, *losses: float, outcome: str = "Finished", flow: int = 0, **setup: Any) -> LocalRun:
        """Start a run that ended an hour ago, after an hour."""
        run = self.start(*losses, flow=flow, **setup)

        def end() -> LocalRun:
            {"Finished": run.finish, "Errored": run.fail, "Cancelled": run.cancel}[outcome](f"It {outcome}.")
            run.create_date -= 2 * HOUR
            run.update_date -= HOUR
            run._encoded = None
            return run

        return self.do(end)
