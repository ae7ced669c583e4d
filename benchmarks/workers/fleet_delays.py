"""Many runs watched by nexus-async on a clock that is faster than ours: how late each entry is handed out."""

from __future__ import annotations

import asyncio
import json
import sys
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.timed_source import EPOCH, TimedSource
from nexus_async import Checkpoint, Client

if TYPE_CHECKING:
    from collections.abc import Callable


class FastLoop(asyncio.SelectorEventLoop):
    """Let a second pass in a fraction of one."""

    def __init__(self, speed: float) -> None:
        super().__init__()
        self._speed = speed
        select = self._selector.select  # type: ignore[attr-defined]  # its only seam
        self._selector.select = self._sooner(select)  # type: ignore[attr-defined]  # its only seam
        self._began = super().time()

    def time(self) -> float:
        return (super().time() - getattr(self, "_began", 0.0)) * self._speed

    def _sooner(self, select: Callable[[float | None], Any]) -> Callable[[float | None], Any]:
        def select_sooner(timeout: float | None = None) -> Any:
            return select(None if timeout is None else timeout / self._speed)

        return select_sooner


async def main(asked: dict[str, Any]) -> None:
    loop, random = asyncio.get_running_loop(), Random(asked["seed"])
    client = Client(
        "key",
        endpoint=asked["url"],
        requests_per_second=50,
        bytes_per_second=1e12,
        clock=lambda: EPOCH + loop.time(),
        jitter=lambda pause: random.uniform(0, pause),
    )
    async with client, client.get_project(TimedSource.project_id).runs.watch() as feed:
        loop.call_at(asked["seconds"], feed.stop)
        delays = [
            EPOCH + loop.time() - event.time
            async for event in feed
            if isinstance(event, Checkpoint) and event.time is not None
        ]
    print(json.dumps(delays), flush=True)


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    with asyncio.Runner(loop_factory=lambda: FastLoop(asked["speed"])) as runner:
        runner.run(main(asked))
