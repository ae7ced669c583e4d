"""The commands, and how each ends: 0 done, 1 error, 2 usage, 130 interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App, CycloptsError
from rich.console import Console

from nexus_async.cli.demo import demo
from nexus_async.cli.doctor import doctor
from nexus_async.cli.local import local
from nexus_async.config import VERSION
from nexus_async.errors import NexusError
from nexus_async.local import LocalNexusError
from nexus_async.loggers import show_log

if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

app = App(
    name="nexus-async",
    help="Training runs on Datature Nexus, over asyncio.",
    version=VERSION,
    suppress_keyboard_interrupt=False,
)
app.command(demo)
app.command(doctor)
app.command(local)


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name, and return its exit code."""
    errors = Console(stderr=True)
    try:
        show_log()
        code = app(arguments, exit_on_error=False, error_console=errors, result_action="return_value")
    except BaseException as failure:  # noqa: BLE001 - what is not known is raised again
        return _code_of(_first_of(failure), errors)
    return code if isinstance(code, int) else 0


def _first_of(failure: BaseException) -> BaseException:
    """Return what went wrong first, where several tasks of a command failed together."""
    while isinstance(failure, BaseExceptionGroup):
        failure = failure.exceptions[0]
    return failure


def _code_of(failure: BaseException, errors: Console) -> int:
    """Say what went wrong in one line, unless it was said already or there is nobody to hear it."""
    match failure:
        case CycloptsError():
            return USAGE
        case KeyboardInterrupt():
            return INTERRUPTED
        case BrokenPipeError():
            return ERROR
        case NexusError() | LocalNexusError() | OSError() | ModuleNotFoundError():
            errors.print(f"nexus-async: {failure}", markup=False, highlight=False, soft_wrap=True)
            return ERROR
    raise failure
