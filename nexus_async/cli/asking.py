"""Asking before what cannot be undone."""

from __future__ import annotations

import sys

from nexus_async.cli.exits import CommandError, UsageError
from nexus_async.cli.visible import visible


def ask_to(what: str) -> None:
    """Ask whether to do something; return where the answer is yes.

    Raises `CommandError` for any other answer, and `UsageError` where there is no terminal to ask on.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"there is no terminal to ask on: pass --yes to {what}")
    print(f"{visible(what[:1].upper() + what[1:])}? [y/N] ", end="", file=sys.stderr, flush=True)  # noqa: T201
    if sys.stdin.readline().strip().casefold() not in {"y", "yes"}:
        raise CommandError("nothing was done")
