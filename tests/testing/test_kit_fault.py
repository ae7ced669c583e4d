"""The fixture `fault`, used here as everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nexus_async import ServerError
from nexus_async.local import Fault
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async import Client, Project
    from nexus_async.local import FaultRule, LocalNexus

virtual = pytest.mark.virtual_time


@virtual
async def test_a_fault_befalls_the_requests_to_the_test_s_server(
    project: Project, fault: Callable[..., FaultRule]
) -> None:
    rule = fault(Fault.refuse(503), on="list", times=2)
    assert await project.runs.list() == []
    assert rule.struck == 2


@virtual
async def test_a_fault_takes_all_that_the_server_s_does(
    nexus_client: Client, fault: Callable[..., FaultRule]
) -> None:
    with fault(Fault.refuse(502), on="client.get_info"), pytest.raises(ServerError):
        await nexus_client.get_info()
    assert (await nexus_client.get_info()).name


@pytest.fixture
def left() -> Iterator[list[LocalNexus]]:
    """Hold the server that is looked at after the fixtures of a test have ended."""
    kept: list[LocalNexus] = []
    yield kept
    assert not kept[0].faults._rules


async def test_no_fault_is_left_at_the_end(
    left: list[LocalNexus], local_nexus: LocalNexus, fault: Callable[..., FaultRule]
) -> None:
    left.append(local_nexus)
    fault(Fault.refuse(503))
    async with client_for(local_nexus, attempts=1) as client:
        with pytest.raises(ServerError):
            await client.get_info()
