"""The commands, and how each ends. Each is imported when it is asked for, so that help comes at once."""

from __future__ import annotations

import logging
import sys
import traceback
from io import TextIOWrapper
from typing import TYPE_CHECKING, Final

from cyclopts import App

from nexus_async.cli.streams import open_missing_streams
from nexus_async.config import VERSION
from nexus_async.loggers import show_log

if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130
DEBUG: Final = "--debug"

_EPILOGUE: Final = (
    "Such as: nexus-async login; nexus-async runs list --since 2d; nexus-async watch; nexus-async demo.\n\n"
    "Exit codes: 0 done, 1 error, 2 usage, 4 not allowed, 5 not found, 8 still running at the timeout, "
    "10 a run Errored, 11 a run Cancelled, 130 interrupted. With --debug an error shows where it comes from."
)

app = App(
    name="nexus-async",
    help="Training runs on Datature Nexus, over asyncio.",
    help_epilogue=_EPILOGUE,
    help_format="plaintext",
    version=VERSION,
    suppress_keyboard_interrupt=False,
)

_HERE: Final = "nexus_async.cli"
_RUNS: Final = f"{_HERE}.runs"

app.command(f"{_HERE}.account:login", help="Keep a secret key, after checking it.")
app.command(f"{_HERE}.account:whoami", help="Show whom the secret key belongs to.")
app.command(f"{_HERE}.projects:projects", help="Look at projects.")
app.command(f"{_HERE}.projects:workflows", help="Look at workflows.")
app.command(f"{_RUNS}.app:runs", help="Start, follow, compare and end training runs.")
app.command(f"{_RUNS}.watching:watch", help="Follow runs in a live table: runs watch.")
app.command(f"{_RUNS}.logs:logs", help="Print what runs log: runs logs.")
app.command(f"{_RUNS}.waiting:wait", help="Wait for runs to be over: runs wait.")
app.command(f"{_HERE}.dashboard:dashboard", help="Show runs on a live page in a browser.")
app.command(f"{_HERE}.local:local", help="Serve a local Nexus, for any client and for tests.")
app.command(f"{_HERE}.doctor:doctor", help="Tell whether Nexus answers as this release expects.")
app.command(f"{_HERE}.demo:demo", help="Six real trainings on a local Nexus, followed live.")
app.command(f"{_HERE}.completion:completion", help="Print the script that completes words in a shell.")


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name, and return its exit code."""
    words = [word for word in arguments if word != DEBUG]
    try:
        open_missing_streams()
        _take_any_character()
        show_log(default=logging.WARNING)
        _let_speak(words)
        code = app(words, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except BaseException as failure:  # noqa: BLE001 - what is not known is raised again
        if DEBUG in arguments:
            traceback.print_exception(failure)
        return _code_of(_first_of(failure), words)
    return code if isinstance(code, int) else 0


def _take_any_character() -> None:
    """Let no text be too strange for the encoding of a stream: what it lacks is written out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _let_speak(words: Sequence[str]) -> None:
    """Let a command say of itself what its docstring says: its line above is for the list of commands alone."""
    found, app.help_epilogue = app, _EPILOGUE
    for word in words[:2]:
        if word.startswith("-") or word not in found:
            break
        found, app.help_epilogue = found[word], None
        if found.default_command is not None:
            found.help = None


def _first_of(failure: BaseException) -> BaseException:
    """Return what went wrong first, where several tasks of a command failed together."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _code_of(failure: BaseException, words: Sequence[str]) -> int:
    """Say what went wrong in one line, unless there is nobody to hear it."""
    from nexus_async.cli.ending import end_with  # noqa: PLC0415 - where all goes well it is not needed

    return end_with(failure, words)
