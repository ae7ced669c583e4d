"""What the streaming engine asks for: it runs over anything that answers this."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.http.transport import Sink
    from nexus_async.models.run import Run

T = TypeVar("T")


class Source(Protocol):
    """Answer for the runs of one project. A failure is a `RequestError`; nothing is tried twice.

    A `turn` of the throttle that is given is used, and ended with the answer; whoever gives it ends it in any
    case. Without one, it is waited for.
    """

    @property
    def project_id(self) -> str:
        """Return the project's ID."""

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""

    async def get_run(self, run_id: str, *, turn: Turn | None = None) -> Run:
        """Return a run."""

    async def list_runs(self, *, turn: Turn | None = None) -> list[Run]:
        """Return every run."""

    async def read_list(self, read: Callable[[bytes], T]) -> T:
        """Hand the answer that lists every run to `read`, and return what it makes of it."""

    async def read_log(self, log_id: str, sink: Sink, *, turn: Turn | None = None) -> None:
        """Hand the answer that is a whole log to `sink`, as it arrives."""
