"""Who is told what came of polling a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nexus_async.errors import RequestError
    from nexus_async.streaming.feed.watched import WatchedRun
    from nexus_async.streaming.source import Source


class Owner(Protocol):
    """Look after the runs of a project that a poller polls."""

    @property
    def project_id(self) -> str:
        """Return the project's ID."""

    @property
    def source(self) -> Source:
        """Return what answers for its runs."""

    def polled(self, run: WatchedRun, *, is_over: bool) -> None:
        """Note that a run was polled, and whether it is followed no more."""

    def look_soon(self) -> None:
        """Ask for the list as soon as there is a turn."""

    def check_soon(self) -> None:
        """Ask for the list soon, unless it was there just now: whether the API answers at all is in doubt."""

    async def give_up(self, error: RequestError) -> None:
        """Follow nothing of the project any more: the secret key does not reach it."""
