"""How a feed of events is shown while it goes on: as a live table, plain lines, or JSON."""

from __future__ import annotations

import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Protocol

from nexus_async.cli.console import say, write_line
from nexus_async.cli.drawing import checkpoint_line, short
from nexus_async.cli.visible import visible_json
from nexus_async.events import (
    Checkpoint,
    Disconnected,
    FollowFailed,
    LogReset,
    Reconnected,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    StatusChanged,
    encode_event,
)

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from nexus_async.cli.board import Board
    from nexus_async.events import Event


class View(Protocol):
    """Show events as they come, between its beginning and its end."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, event: Event) -> None:
        """Show one more event, which the board has taken in."""


class Lines:
    """Write a plain line for each checkpoint and each change of status; messages go to standard error."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing to be done."""

    def show(self, event: Event) -> None:
        match event:
            case Checkpoint() | StatusChanged() | RunAdded():
                write_line(checkpoint_line(self._board.rows[event.run_id]))
            case _:
                if (told := remark_on(event)) is not None:
                    say(told)


class JsonLines:
    """Write each event as a line of JSON."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave nothing to be done."""

    def show(self, event: Event) -> None:
        write_line(visible_json(encode_event(event).decode()))


class JsonArray:
    """Write all events as one JSON array, which is whole however the feed ends."""

    def __init__(self) -> None:
        self._is_empty = True

    async def __aenter__(self) -> Self:
        sys.stdout.write("[")
        return self

    async def __aexit__(self, *_: object) -> None:
        write_line("]")

    def show(self, event: Event) -> None:
        sys.stdout.write("" if self._is_empty else ",\n")
        sys.stdout.write(visible_json(encode_event(event).decode()))
        sys.stdout.flush()
        self._is_empty = False


class Both:
    """Show events in two views at once."""

    def __init__(self, first: View, second: View) -> None:
        self._views = (first, second)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for view in self._views:
            await self._open.enter_async_context(view)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._open.aclose()

    def show(self, event: Event) -> None:
        """Show one more event."""
        for view in self._views:
            view.show(event)


def remark_on(event: Event) -> str | None:
    """Return what people are told of an event that no table shows; None where that is nothing."""
    match event:
        case Disconnected():
            return f"Nexus does not answer: {event.error}"
        case Reconnected():
            return f"Nexus answers again, after {event.seconds:.0f} s"
        case RunEvent() if (told := _remark_on_run(event)) is not None:
            return f"{short(event.run_id)} {told}"
    return None


def _remark_on_run(event: RunEvent) -> str | None:
    match event:
        case FollowFailed(fatal=True):
            return f"is gone: {event.error}"
        case FollowFailed():
            return f"cannot be followed for now: {event.error}"
        case LogReset():
            return f"had its log cut or rewritten: it is read on from entry {event.resumes_at}"
        case RunRemoved():
            return "is followed no more"
        case RunEnded(drained=False):
            return "is over, and its logs still grew: they are left"
    return None
