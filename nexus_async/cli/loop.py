"""The event loop of the command line: uvloop where the extra `speed` is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import logging
import signal
from importlib.metadata import version
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

T = TypeVar("T")
logger = logging.getLogger("nexus_async.cli")


def run_async(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end, and return what it returns.

    Being told to end by SIGTERM is as good as Ctrl-C: what is open is closed, and the terminal is left in order.
    """
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError:
        logger.debug("the event loop is asyncio's own: the extra speed, with uvloop, is not installed")
        return None
    logger.debug("the event loop is uvloop %s", version("uvloop"))
    return uvloop.new_event_loop
