"""The commands, and how each ends: 0 done, 1 error, 2 usage, 130 interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cyclopts import App, CycloptsError
from rich.console import Console

from nexus_async.cli.demo import demo
from nexus_async.cli.local import local
from nexus_async.config import VERSION
from nexus_async.errors import NexusError
from nexus_async.local import LocalNexusError

if TYPE_CHECKING:
    from collections.abc import Sequence

ERROR: Final = 1
USAGE: Final = 2
INTERRUPTED: Final = 130

app = App(name="nexus-async", help="Training runs on Datature Nexus, over asyncio.", version=VERSION)
app.command(demo)
app.command(local)


def run(arguments: Sequence[str]) -> int:
    """Run the command that `arguments` name, and return its exit code."""
    errors = Console(stderr=True)
    try:
        code = app(arguments, exit_on_error=False, error_console=errors, result_action="return_value")
    except CycloptsError:
        return USAGE
    except KeyboardInterrupt:
        return INTERRUPTED
    except (NexusError, LocalNexusError, OSError, ModuleNotFoundError) as error:
        errors.print(f"nexus-async: {error}", markup=False, highlight=False, soft_wrap=True)
        return ERROR
    return code if isinstance(code, int) else 0
