"""The event loop of the command line: uvloop where the extra `speed` is installed, else asyncio's own."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import suppress
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
    It is so too where Ctrl-C is ignored, as in what a script runs in the background.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(_terminable(main))


async def _terminable(main: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    with suppress(NotImplementedError):  # Windows has no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await main


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - needs the extra
    except ModuleNotFoundError:
        logger.debug("the event loop is asyncio's own: the extra speed, with uvloop, is not installed")
        return None
    logger.debug("the event loop is uvloop %s", version("uvloop"))
    return uvloop.new_event_loop
