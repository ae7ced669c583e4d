"""Where commands write."""

from __future__ import annotations

import os
import sys

from rich.console import Console


class PipedConsole(Console):
    """Write as rich does, and raise `BrokenPipeError` where nobody reads any more.

    rich would raise `SystemExit`, which no task may end with.
    """

    def on_broken_pipe(self) -> None:
        """Leave nothing for the interpreter to flush at its end, and tell."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise BrokenPipeError
