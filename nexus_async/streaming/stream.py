"""A run's checkpoints as an asynchronous generator."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import anyio

from nexus_async.errors import RequestError, StreamTimeoutError
from nexus_async.events import Checkpoint, LogEntry, LogReset
from nexus_async.streaming.follower import Follower
from nexus_async.streaming.outage import Outage
from nexus_async.streaming.patience import Patience
from nexus_async.streaming.window import Window

if TYPE_CHECKING:
    from types import TracebackType

    from nexus_async.models.run import Run
    from nexus_async.pacing import Pacing
    from nexus_async.streaming.shared import Shared
    from nexus_async.streaming.source import Source


class LogStream(AsyncGenerator[Checkpoint, None]):
    """Yield each checkpoint of a run once, to the run's end. Made by `runs.stream_logs`.

    Everything happens inside `anext`: between two of them there is no task, no connection and no lock, so that
    `break` leaves nothing behind. An `anext` that is cancelled loses nothing: the next one goes on. `aclose`
    may be called from another task, and ends an `anext` that is waiting. Two at once are a `RuntimeError`.
    """

    def __init__(
        self,
        source: Source,
        run_or_log_id: str,
        *,
        cursor: str | None = None,
        window: Window,
        follow: bool = True,
        idle_timeout: float | None = None,
        timeout: float | None = None,
        pacing: Pacing,
        settle: float,
        drain_timeout: float,
        max_outage: float,
        shared: Shared,
    ) -> None:
        self._follower = Follower(
            source,
            run_or_log_id,
            cursor=cursor,
            beginning=window.beginning,
            pacing=pacing.for_run(shared.server_clock),
            settle=settle,
            drain_timeout=drain_timeout,
            shared=shared,
        )
        self._window = window if cursor is None else Window.of(self._follower.beginning)
        self._follow = follow
        self._is_done = False
        self._patience = Patience(idle_timeout=idle_timeout, timeout=timeout)
        self._outage = Outage(shared, longest=max_outage)
        self._due, self._is_due_known = 0.0, True
        self._ready: deque[Checkpoint] = deque()
        self._handed_out = self._follower.token()
        self._scope: anyio.CancelScope | None = None
        self._idle: anyio.Event | None = None
        self._closed = False

    def __repr__(self) -> str:
        run = self.run
        return f"LogStream({self._follower.run_id!r}, status={run.status.overview if run else None!r})"

    @property
    def run(self) -> Run | None:
        """Return the run as last seen; None before the first poll."""
        return self._follower.run

    @property
    def cursor(self) -> str:
        """Return the token that resumes after the last checkpoint that was handed out."""
        if self._ready or self._follower.pending or self._window.is_holding:
            return self._handed_out
        return self._follower.token()

    @property
    def resets(self) -> tuple[LogReset, ...]:
        """Return every reset so far: a log that was cut or rewritten. Each was warned of as well."""
        return tuple(self._follower.resets)

    async def __anext__(self) -> Checkpoint:
        if self._scope is not None:
            raise RuntimeError(f"{self!r} is already waiting for its next checkpoint")
        if self._closed:
            raise StopAsyncIteration
        with anyio.CancelScope() as scope:
            self._scope, self._idle = scope, anyio.Event()
            self._follower.share.is_resting = False
            try:
                return await self._next_in_time()
            except Exception:  # StopAsyncIteration among them; a cancellation is none
                self._closed = True
                raise
            finally:
                self._scope = None
                self._follower.share.is_resting = True  # nothing is held that others wait for
                self._idle.set()
        raise StopAsyncIteration  # closed from another task

    async def asend(self, value: None, /) -> Checkpoint:
        """Return the next checkpoint; there is nothing to send."""
        if value is not None:
            raise TypeError(f"nothing can be sent to a stream of checkpoints, {value!r} neither")
        return await self.__anext__()

    async def athrow(
        self,
        typ: type[BaseException] | BaseException,
        val: BaseException | object = None,
        tb: TracebackType | None = None,
        /,
    ) -> Checkpoint:
        """Close the stream and raise the exception."""
        await self.aclose()
        error = typ if isinstance(typ, BaseException) else val if isinstance(val, BaseException) else typ()
        raise error.with_traceback(tb)

    async def aclose(self) -> None:
        """End the stream: no request is made any more, and an `anext` that waits ends. Never kills the run."""
        self._closed = True
        if self._scope is not None and self._idle is not None:
            self._scope.cancel()
            await self._idle.wait()

    async def _next_in_time(self) -> Checkpoint:
        try:
            async with self._patience.waiting():
                checkpoint = await self._next()
        except TimeoutError:
            run = self.run
            raise StreamTimeoutError(
                run_id=self._follower.run_id,
                why=self._patience.why,
                status=None if run is None else run.status.overview,
                cursor=self.cursor,
            ) from None
        self._handed_out = checkpoint.cursor
        return checkpoint

    async def _next(self) -> Checkpoint:
        while not self._ready:
            if self._follower.pending:
                self._hand_on(self._follower.pending.popleft())
            elif self._is_done or self._follower.over:
                raise StopAsyncIteration
            else:
                await self._advance()
        return self._ready.popleft()

    def _hand_on(self, event: Checkpoint | LogEntry) -> None:
        if isinstance(event, Checkpoint) and self._window.pass_on(event) is not None:
            self._ready.append(event)

    async def _advance(self) -> None:
        """Make one step towards the next event: read a slice, or wait and poll."""
        try:
            if self._follower.read():
                await asyncio.sleep(0)  # between two slices others get their turn
                return
            if self._follower.has_let_go:
                self._note_due(0.0)
            elif not self._is_due_known:
                await self._end_snapshot()
                return
            await asyncio.sleep(round(self._due - asyncio.get_running_loop().time(), 6))
            await self._follower.poll()
            self._is_due_known = False
        except RequestError as error:
            now = asyncio.get_running_loop().time()
            self._note_due(self._outage.note(error, now, run_id=self._follower.run_id, cursor=self.cursor))

    async def _end_snapshot(self) -> None:
        held = self._window.end_of_snapshot()
        if held:  # a restart must not count the last ones anew
            self._handed_out = self._window.before or self._follower.first_token()
        self._ready.extend(event for event in held if isinstance(event, Checkpoint))
        self._follower.begun()
        if not self._follow:
            self._is_done = True
            return
        due_in = await self._follower.conclude()
        self._outage.over()
        self._note_due(due_in or 0.0)

    def _note_due(self, due_in: float) -> None:
        self._due = asyncio.get_running_loop().time() + due_in
        self._is_due_known = True
