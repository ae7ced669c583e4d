"""What the streaming engine asks for, asked over the wire."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Final, TypeVar

from nexus_async.http.protocol import get, path_of
from nexus_async.models.run import Run, decode_run, decode_runs

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from nexus_async.http.requester import Requester
    from nexus_async.http.throttle import Throttle, Turn
    from nexus_async.http.transport import Sink

T = TypeVar("T")
_NOTHING: Final = nullcontext()


class RunSource:
    """Give the streaming engine what it asks for, each in a single attempt: the next poll is the retry."""

    def __init__(self, requester: Requester, project_id: str) -> None:
        self._requester = requester
        self._path = path_of("projects", project_id, "runs")
        self._log_path = self._path + "/logs"
        self.project_id = project_id

    @property
    def throttle(self) -> Throttle:
        """Return what gives the turns."""
        return self._requester.throttle

    async def get_run(self, run_id: str, *, turn: Turn | None = None) -> Run:
        """Return one run. A `turn` that is given is used and ended, here as below."""
        with turn or _NOTHING:
            return await self._requester.call_once(get(self._path + path_of(run_id)), decode_run, turn=turn)

    async def list_runs(self, *, turn: Turn | None = None) -> list[Run]:
        """Return every run."""
        with turn or _NOTHING:
            return await self._requester.call_once(get(self._path), decode_runs, turn=turn)

    async def read_list(self, read: Callable[[bytes], T]) -> T:
        """Hand the answer that lists every run to `read`, and return what it makes of it."""
        return await self._requester.call_once(get(self._path), read)

    def read_log(self, log_id: str, sink: Sink, *, turn: Turn | None = None) -> Coroutine[None, None, None]:
        """Hand the answer that is a whole log to `sink`, as it arrives."""
        return self._requester.read_once(get(self._log_path + path_of(log_id)), sink, turn=turn)
