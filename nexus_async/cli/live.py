"""The live table: the board, drawn on standard error while a feed goes on."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.live import Live

from nexus_async.cli.board_table import BoardTable
from nexus_async.cli.cells import write_bytes
from nexus_async.cli.views import remark_on
from nexus_async.loggers import PACKAGE

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from nexus_async.cli.board import Board
    from nexus_async.events import Event
    from nexus_async.streaming import Feed

FRAME_SECONDS: Final = 0.2
"""Seconds between two drawings."""


class LiveTable(logging.Handler):
    """Draw a board five times a second. Warnings of the engine become remarks below it, rather than break it."""

    def __init__(
        self,
        board: Board,
        feed: Feed,
        *,
        console: Console | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(logging.WARNING)
        self._board = board
        self._feed = feed
        self._console = Console(stderr=True) if console is None else console
        self._clock = clock
        self._live = Live(console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._drawing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        PACKAGE.addHandler(self)
        self._live.start()
        self._drawing = asyncio.create_task(self._keep_drawing())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._drawing is not None
        self._drawing.cancel()
        await asyncio.wait([self._drawing])
        self._live.update(BoardTable(self._board, now=self._clock(), width=self._console.width), refresh=True)
        self._live.stop()
        PACKAGE.removeHandler(self)

    def show(self, event: Event) -> None:
        """Note what the table does not show of itself."""
        if (told := remark_on(event)) is not None:
            self._board.remarks.append(told)

    def emit(self, record: logging.LogRecord) -> None:
        """Take a warning in as a remark."""
        self._board.remarks.append(record.getMessage())

    def draw(self) -> None:
        """Draw the board as it is now, in as many lines as the terminal has."""
        stats = self._feed.stats()
        self._board.note_stats(stats.runs)
        size = self._console.size
        self._board.footer = (
            f"{len(stats.runs)} followed, {stats.requests_per_second:.1f} requests/s, "
            f"{write_bytes(stats.bytes_per_second)}/s"
        )
        table = BoardTable(self._board, now=self._clock(), width=size.width, height=size.height)
        self._live.update(table, refresh=True)

    async def _keep_drawing(self) -> None:
        while True:
            self.draw()
            await asyncio.sleep(FRAME_SECONDS)
