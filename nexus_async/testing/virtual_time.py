"""Virtual time: client, engine and local Nexus on a loop whose clock jumps to whatever is due next.

The loop is `async-solipsism`'s. All of it is imported when it is used: the pytest plugin costs nothing.
"""

from __future__ import annotations

import asyncio
from asyncio.base_events import MAXIMUM_SELECT_TIMEOUT  # type: ignore[attr-defined]  # not in typeshed
from random import Random
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    import pytest

    from nexus_async.client import Client
    from nexus_async.local import LocalNexus

T = TypeVar("T")

EPOCH: Final = 1_705_466_384_796
"""Milliseconds since the Unix epoch when a local Nexus starts in virtual time: the reference's own example."""


def virtual_time_loop() -> asyncio.AbstractEventLoop:
    """Make a loop whose clock jumps. It raises where everything waits for something that will never come.

    Needs `async-solipsism`, which is in the extra `testing`.
    """
    try:
        import async_solipsism  # noqa: PLC0415 - at first use
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "virtual time needs async-solipsism: install nexus-async with its extra `testing`"
        ) from None
    loop: Any = async_solipsism.EventLoop()
    loop._selector.select = _waiting_longer_than_a_day(loop._selector.select)  # noqa: SLF001 - its only seam
    return cast("asyncio.AbstractEventLoop", loop)


def _waiting_longer_than_a_day(select: Callable[[float | None], Any]) -> Callable[[float | None], Any]:
    """Let the clock jump by a day and more: asyncio waits for a day at most, which the loop takes for forever."""

    def select_for_less(timeout: float | None = None) -> Any:
        return select(None if timeout is None else min(timeout, MAXIMUM_SELECT_TIMEOUT - 1))

    return select_for_less


def run_in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `main()` to its end on a loop of its own with virtual time, and return its result."""
    with asyncio.Runner(loop_factory=virtual_time_loop) as runner:
        return runner.run(main())


def is_virtual(loop: asyncio.AbstractEventLoop) -> bool:
    """Tell whether a loop has virtual time."""
    return type(loop).__module__.startswith("async_solipsism")


def client_for(nexus: LocalNexus, **options: Any) -> Client:
    """Make a client of a local Nexus, in real or in virtual time.

    `options` are those of `Client`. Pauses between attempts are drawn from a seeded generator, and the
    client's clock is the server's, so that the same test makes the same requests every time. A local Nexus needs
    no sparing: without a throttle option there is no limit on requests or bytes a second that a test would meet.
    """
    from nexus_async.client import Client  # noqa: PLC0415 - at first use
    from nexus_async.testing.connector import VirtualConnector  # noqa: PLC0415 - at first use

    pauses = Random(0)  # noqa: S311 - repeatable on purpose
    defaults: dict[str, Any] = {
        "endpoint": nexus.url,
        "jitter": lambda pause: pauses.uniform(0, pause),
        "clock": lambda: nexus.now() / 1000,
    }
    if "throttle" not in options:
        defaults |= {"requests_per_second": 1e6, "bytes_per_second": 1e12}
    if is_virtual(asyncio.get_running_loop()) and "session" not in options:
        defaults["connector"] = VirtualConnector
    return Client(nexus.secret_key, **{**defaults, **options})


def pytest_asyncio_loop_factories(
    config: pytest.Config,  # noqa: ARG001 - the hook's signature
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Give tests marked `virtual_time` a loop with virtual time: a hook of pytest-asyncio, for `conftest.py`."""
    if item.get_closest_marker("virtual_time") is not None:
        return {"virtual": virtual_time_loop}
    return {"real": asyncio.new_event_loop}
