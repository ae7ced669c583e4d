"""The fixtures, used here as everywhere."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nexus_async import ClientClosedError
from nexus_async.local import LocalNexus, NotStartedError, ScriptedTrainer
from nexus_async.testing import client_for, is_virtual

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from nexus_async import Client

virtual = pytest.mark.virtual_time


@pytest.fixture
def after() -> Iterator[list[Any]]:
    """Hold what is looked at after every fixture of a test has ended."""
    kept: list[Any] = []
    yield kept
    client, nexus = kept
    assert nexus._runner is None
    with pytest.raises(ClientClosedError):
        asyncio.run(client.get_info())


def test_nothing_is_configured_by_default(local_nexus_options: dict[str, Any]) -> None:
    assert local_nexus_options == {}


async def test_the_client_is_of_the_server(local_nexus: LocalNexus, nexus_client: Client) -> None:
    assert nexus_client.endpoint == local_nexus.url


async def test_server_and_client_are_closed_at_the_end(
    after: list[Any], local_nexus: LocalNexus, nexus_client: Client
) -> None:
    await nexus_client.get_info()
    after += [nexus_client, local_nexus]


async def test_a_run_does_nothing_but_what_it_is_told(local_nexus: LocalNexus) -> None:
    run = local_nexus.start_run()
    for _ in range(20):
        await asyncio.sleep(0)
    assert (run.overview, run.steps_seen) == ("Creating", 0)


@virtual
async def test_in_virtual_time_the_server_begins_at_a_fixed_moment(local_nexus: LocalNexus) -> None:
    assert local_nexus.now() == 1_705_466_384_796


async def test_in_real_time_the_server_begins_now(local_nexus: LocalNexus) -> None:
    import time

    assert abs(local_nexus.now() / 1000 - time.time()) < 60


@virtual
async def test_options_of_a_client_win_over_those_of_the_kit(local_nexus: LocalNexus) -> None:
    async with client_for(local_nexus, endpoint="http://127.0.0.1:9") as client:
        assert client.endpoint == "http://127.0.0.1:9"


@virtual
@pytest.mark.parametrize(("ago", "expected"), [(0, 7), (3600, 0)])
async def test_the_clock_of_a_client_is_that_of_the_server(
    local_nexus: LocalNexus, nexus_client: Client, ago: float, expected: float
) -> None:
    run = local_nexus.start_run()
    run.finish()
    await asyncio.sleep(ago)
    begin = asyncio.get_running_loop().time()
    stream = nexus_client.get_project(local_nexus.project_id).runs.stream_logs(run.id, settle=7)
    assert [checkpoint async for checkpoint in stream] == []
    took = asyncio.get_running_loop().time() - begin
    assert took == pytest.approx(expected, abs=0.5)  # a run that is long over needs no second look


async def test_a_client_of_a_server_without_a_port_is_refused() -> None:
    with pytest.raises(NotStartedError):
        client_for(LocalNexus(ScriptedTrainer()))


@virtual
async def test_a_marked_test_runs_in_virtual_time() -> None:
    begin = asyncio.get_running_loop().time()
    await asyncio.sleep(86_000)
    assert is_virtual(asyncio.get_running_loop())
    assert asyncio.get_running_loop().time() - begin == pytest.approx(86_000)


async def test_any_other_test_runs_in_real_time() -> None:
    assert not is_virtual(asyncio.get_running_loop())
