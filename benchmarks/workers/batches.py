"""What the sides of `get_run` share: they are told whom to ask, then run batches of calls and time them.

Only the standard library is used, since the official client's environment holds nothing else of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


class Target(NamedTuple):
    """Whom to ask, and for which run."""

    url: str
    secret_key: str
    project_id: str
    run_id: str


def read_target() -> Target:
    return Target(**json.loads(sys.stdin.readline()))


def answer_batches(run_batch: Callable[[int, int], object]) -> None:
    """Answer each `[calls, in_flight]` with the CPU seconds that this process took for them."""
    for line in sys.stdin:
        calls, in_flight = json.loads(line)
        begun = time.process_time()
        run_batch(calls, in_flight)
        print(time.process_time() - begun, flush=True)


async def repeat(call: Callable[[], Awaitable[object]], calls: int, in_flight: int) -> None:
    """Make `calls` calls in all, by as many tasks as are to be in flight."""

    async def some() -> None:
        for _ in range(calls // in_flight):
            await call()

    async with asyncio.TaskGroup() as tasks:
        for _ in range(in_flight):
            tasks.create_task(some())
