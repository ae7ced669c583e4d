"""The pytest plugin: fixtures that start what they need when a test asks for them, and nothing before."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from nexus_async.client import Client
    from nexus_async.local import FaultRule, LocalNexus

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:  # anyio's plugin takes asynchronous fixtures as they are
    async_fixture = pytest.fixture  # type: ignore[assignment]  # it is used without arguments alone


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        "virtual_time: run on a loop whose clock jumps to whatever is due next "
        "(import pytest_asyncio_loop_factories from nexus_async.testing into conftest.py)",
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse to run a test in real time that asks for virtual time: it might take as long as it says."""
    if item.get_closest_marker("virtual_time") is None:
        return
    hook = getattr(item.ihook, "pytest_asyncio_loop_factories", None)
    if hook is None or not hook.get_hookimpls():
        pytest.fail(
            "the marker virtual_time needs a line in conftest.py: "
            "from nexus_async.testing import pytest_asyncio_loop_factories",
            pytrace=False,
        )


@pytest.fixture
def local_nexus_options() -> dict[str, Any]:
    """Return the arguments of the `LocalNexus` of a test; override it to choose a trainer or projects."""
    return {}


@async_fixture
async def local_nexus(local_nexus_options: dict[str, Any]) -> AsyncIterator[LocalNexus]:
    """Run a local Nexus whose runs do what the test says, unless `local_nexus_options` says otherwise."""
    from nexus_async.local import LocalNexus, ScriptedTrainer  # noqa: PLC0415 - at first use
    from nexus_async.testing.virtual_time import EPOCH, is_virtual  # noqa: PLC0415 - at first use

    options: dict[str, Any] = {"trainer": ScriptedTrainer(), "secret_key": "local-nexus-key"}
    if is_virtual(asyncio.get_running_loop()):
        options["epoch"] = EPOCH
    async with LocalNexus(**{**options, **local_nexus_options}) as nexus:
        yield nexus


@async_fixture
async def nexus_client(local_nexus: LocalNexus) -> AsyncIterator[Client]:
    """Run a client of the test's local Nexus, closed at the test's end."""
    from nexus_async.testing.virtual_time import client_for  # noqa: PLC0415 - at first use

    async with client_for(local_nexus) as client:
        yield client


@pytest.fixture
def fault(local_nexus: LocalNexus) -> Iterator[Callable[..., FaultRule]]:
    """Let a fault befall the requests to the test's local Nexus: `fault(Fault.refuse(503), on="get", times=2)`.

    It takes what `local_nexus.faults.add` takes. At the test's end, before the client is closed, all are well.
    """
    yield local_nexus.faults.add
    local_nexus.faults.clear()
