"""The log of the package: loggers under `nexus_async`, and the variable that shows what they say on stderr.

`debug` tells of each attempt, `info` of what is tried again, `warning` of what a user may want to do something
about, `error` of what a hook or a trainer raised. All of it is metadata: never a body, a header or a key.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

from nexus_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_VARIABLE: Final = "NEXUS_ASYNC_LOG"
"""`debug` or `info` shows the log on stderr."""

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO}
PACKAGE: Final = logging.getLogger("nexus_async")
"""The logger above all others."""


PACKAGE.addHandler(logging.NullHandler())  # without it warnings are written to stderr of those who never asked


class _LastHandler(logging.StreamHandler):  # type: ignore[type-arg]  # generic in the stubs alone
    """Write to stderr what no handler of the user's gets, so that nothing is told twice."""

    def filter(self, record: logging.LogRecord) -> bool:
        handlers = [*PACKAGE.handlers, *(logging.getLogger().handlers if PACKAGE.propagate else ())]
        others = [each for each in handlers if each is not self and not isinstance(each, logging.NullHandler)]
        return not others and bool(super().filter(record))


def show_log(environment: Mapping[str, str] = os.environ, *, default: int | None = None) -> None:
    """Show the log on stderr where `NEXUS_ASYNC_LOG` is `debug` or `info`, or at the level `default`.

    Handlers of the user's own, of the root or of `nexus_async`, get it in place of stderr.
    Raises `ConfigurationError` for any other word.
    """
    word = environment.get(LOG_VARIABLE, "").strip()
    del environment  # tracebacks show what a frame holds, and it may hold a key
    level = _LEVELS.get(word.lower()) if word else default
    if word and level is None:
        raise ConfigurationError(
            f"{LOG_VARIABLE}={word!r} is neither debug nor info: set one of them, or unset it"
        )
    if level is not None:
        PACKAGE.setLevel(level)
        if not any(isinstance(handler, _LastHandler) for handler in PACKAGE.handlers):
            handler = _LastHandler()
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
            PACKAGE.addHandler(handler)


def kind_of(error: BaseException) -> str:
    """Tell an error by its class, and by its status where it has one: its message may repeat a body."""
    status = getattr(error, "status", None)
    return type(error).__name__ if status is None else f"{type(error).__name__} {status}"
