"""Where commands write: data to standard output, drawing and messages to standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from nexus_async.cli.visible import visible, visible_json

if TYPE_CHECKING:
    from rich.console import RenderableType


class PipedConsole(Console):
    """Write as rich does, and raise `BrokenPipeError` where nobody reads any more.

    rich would raise `SystemExit`, which no task may end with.
    """

    def on_broken_pipe(self) -> None:
        """Leave nothing for the interpreter to flush at its end, and tell."""
        self.quiet = True
        forget_reader()
        raise BrokenPipeError


def is_drawn_on(console: Console) -> bool:
    """Tell whether a console is a terminal: to rich a pipe is one where FORCE_COLOR asks for colours."""
    return console.is_terminal and console.file.isatty()


def forget_reader() -> None:
    """Let what is left for a reader that is gone go nowhere: the interpreter would complain at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def say(message: str) -> None:
    """Tell people something, on one line of standard error."""
    print(visible(message), file=sys.stderr, flush=True)  # noqa: T201 - what it is for


def write_line(text: str) -> None:
    """Write one line of data, at once: whoever reads along waits for it."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def write_json(encoded: bytes) -> None:
    """Write one JSON value on a line."""
    write_line(visible_json(encoded.decode()))


def styled(text: str, style: str, console: Console) -> str:
    """Return a text with the codes that make a console show it in a style; none where it shows no colours."""
    with console.capture() as captured:
        console.print(text, style=style, markup=False, highlight=False, soft_wrap=True, end="")
    return captured.get()


def draw(what: RenderableType, console: Console) -> None:
    """Write what rich draws; nothing of it is cut at the terminal's width."""
    console.print(what, soft_wrap=False, crop=False)
