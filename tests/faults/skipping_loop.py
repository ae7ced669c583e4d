"""A loop over real sockets whose clock stands still while they are busy, and jumps to what is due next.

What is asked over loopback is there at once, so nothing that would come is jumped over, and a pause of two minutes
costs a few milliseconds. The time that passes on its clock is that of pauses and timeouts alone: the same each time.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")
_SILENCE: Final = 0.002
"""Seconds of real time without a byte before the clock jumps: loopback takes none, but for what threads do."""


class SkippingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        selector: Any = self._selector  # type: ignore[attr-defined]  # not in typeshed
        self._look = selector.select
        selector.select = self._look_or_jump

    def time(self) -> float:
        return self._now

    def _look_or_jump(self, timeout: float | None = None) -> Any:
        if timeout is None or timeout <= 0:
            return self._look(timeout)
        found = self._look(0) or self._look(_SILENCE)
        if not found:
            self._now += timeout
        return found


def run_skipping(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(main())
