"""A client opens at first use, closes when it is left, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from scripted_api import answers_after, calling, get_run, hangs, says, serving, start_run

from nexus_async import Client, ClientClosedError, ConnectError, OutcomeUnknownError, RequestTimeoutError
from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.testing import client_for, run_in_virtual_time
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import Callable

virtual = pytest.mark.virtual_time

POOLS_OF_ONE: list[dict[str, Any]] = [{"connector": lambda: VirtualConnector(limit=1)}, {"max_in_flight": 1}]


def test_a_client_is_made_outside_of_a_loop_and_used_in_two() -> None:
    client = Client("key", endpoint="http://127.0.0.1:60000", connector=VirtualConnector)

    async def use() -> str:
        async with LocalNexus(ScriptedTrainer(), secret_key="key", port=60000), client:
            return (await client.get_info()).name

    names = [run_in_virtual_time(use), run_in_virtual_time(use)]
    assert names == ["Local workspace", "Local workspace"]


def test_a_client_that_an_earlier_loop_left_open_serves_the_next() -> None:
    made: list[Client] = []

    async def use() -> object:
        async with serving(says(headers={"Connection": "close"})) as api:
            made.append(made[0] if made else api.client())
            return await get_run(made[0].get_project("p"))

    assert run_in_virtual_time(use) == run_in_virtual_time(use)


def test_calls_of_a_second_loop_wait_for_their_turn_as_those_of_the_first_did() -> None:
    made: list[Client] = []

    async def use() -> int:
        async with serving(says()) as api:
            made.append(made[0] if made else api.client(max_in_flight=1))
            async with made[0].get_project("p") as project:
                await asyncio.gather(*[get_run(project) for _ in range(3)])
            return len(api.received)

    assert [run_in_virtual_time(use), run_in_virtual_time(use)] == [3, 3]


def test_a_client_serves_two_runs_of_asyncio_on_real_sockets() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client("key", endpoint=f"http://127.0.0.1:{port}")

    async def use() -> str:
        async with LocalNexus(ScriptedTrainer(), secret_key="key", port=port), client:
            return (await client.get_info()).name

    assert [asyncio.run(use()), asyncio.run(use())] == ["Local workspace", "Local workspace"]


def test_a_client_that_is_never_used_leaves_nothing() -> None:
    client = Client("k")
    del client
    gc.collect()


@virtual
async def test_a_client_works_without_being_entered() -> None:
    async with serving(says()) as api:
        client = api.client()
        await get_run(client.get_project("p"))
        await client.aclose()


@virtual
async def test_closing_twice_is_closing_once() -> None:
    async with serving(says()) as api:
        client = api.client()
        await get_run(client.get_project("p"))
        await client.aclose()
        await client.aclose()


@virtual
async def test_closing_what_was_never_used_does_nothing() -> None:
    client = Client("k")
    await client.aclose()
    async with client:
        pass


@virtual
async def test_entering_gives_the_client() -> None:
    client = Client("k")
    async with client as entered:
        assert entered is client


@virtual
@pytest.mark.parametrize("call", [get_run, start_run])
async def test_a_call_after_closing_is_refused(call: Callable[..., object]) -> None:
    async with serving(says()) as api:
        async with api.client() as client:
            project = client.get_project("p")
        with pytest.raises(ClientClosedError, match="enter it again"):
            await call(project)  # type: ignore[misc]  # each is a coroutine function
        assert api.received == []


@virtual
async def test_a_client_that_is_entered_again_works_again() -> None:
    async with serving(says()) as api:
        client = api.client()
        project = client.get_project("p")
        async with client:
            await get_run(project)
        async with client:
            await get_run(project)
        assert len(api.received) == 2


@virtual
async def test_leaving_a_project_closes_its_client() -> None:
    async with serving(says()) as api:
        client = api.client()
        async with client.get_project("p") as project:
            await get_run(project)
        with pytest.raises(ClientClosedError):
            await client.get_info()


@virtual
async def test_a_project_that_is_entered_again_opens_its_client_again() -> None:
    async with serving(says()) as api:
        project = api.client().get_project("p")
        for _ in range(2):
            async with project as entered:
                assert entered is project
                await get_run(project)
        assert len(api.received) == 2


@virtual
async def test_leaving_by_an_exception_closes_too() -> None:
    async with serving(says()) as api:
        client = api.client()
        with pytest.raises(ZeroDivisionError):
            async with client:
                raise ZeroDivisionError
        with pytest.raises(ClientClosedError):
            await client.get_info()


@virtual
async def test_a_call_that_waits_to_try_again_ends_when_the_client_closes() -> None:
    async with serving(says(429, headers={"Retry-After": "60"})) as api:
        client = api.client()
        waiting = asyncio.create_task(client.get_info())
        await asyncio.sleep(1)
        await client.aclose()
        with pytest.raises(ClientClosedError):
            await waiting
        assert len(api.received) == 1


@virtual
async def test_a_session_that_its_owner_closed_is_a_closed_client() -> None:
    async with serving(says()) as api:
        session = aiohttp.ClientSession(connector=VirtualConnector())
        await session.close()
        with pytest.raises(ClientClosedError):
            await api.client(session=session).get_info()


@virtual
@pytest.mark.parametrize("pool", POOLS_OF_ONE, ids=["connector", "client"])
async def test_a_pool_of_one_connection_is_free_after_calls_that_were_cancelled(
    local_nexus: LocalNexus, pool: dict[str, Any]
) -> None:
    run = local_nexus.start_run()
    async with client_for(local_nexus, **pool) as client:
        project = client.get_project(local_nexus.project_id)
        for turns in range(60):
            call = asyncio.create_task(project.runs.get(run.id))
            for _ in range(turns):
                await asyncio.sleep(0)
            call.cancel()
            await asyncio.gather(call, return_exceptions=True)
            assert (await asyncio.wait_for(project.runs.get(run.id), 1)).id == run.id


@virtual
@pytest.mark.parametrize("pool", POOLS_OF_ONE, ids=["connector", "client"])
async def test_calls_that_wait_for_a_turn_may_be_cancelled_too(pool: dict[str, Any]) -> None:
    async with calling(hangs, says(), **pool) as (_, project):
        first = asyncio.ensure_future(get_run(project))
        await asyncio.sleep(1)
        waiting = [asyncio.ensure_future(get_run(project)) for _ in range(3)]
        await asyncio.sleep(1)
        waiting[1].cancel()
        first.cancel()
        ended = await asyncio.gather(first, *waiting, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in ended] == [True, False, True, False]


@virtual
async def test_a_call_that_waits_for_a_turn_ends_when_the_client_closes() -> None:
    async with serving(hangs) as api:
        client = api.client(max_in_flight=1)
        calls = [asyncio.create_task(client.get_info()) for _ in range(2)]
        await asyncio.sleep(1)
        await client.aclose()
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(one) for one in ended] == [ClientClosedError, ClientClosedError]


@virtual
async def test_a_start_that_waits_for_a_connection_was_not_sent_when_the_client_closes() -> None:
    async with serving(hangs) as api:
        client = api.client(connector=lambda: VirtualConnector(limit=1))
        first, waiting = [asyncio.create_task(start_run(client.get_project("p"))) for _ in range(2)]
        await asyncio.sleep(1)
        await client.aclose()
        ended = await asyncio.gather(first, waiting, return_exceptions=True)
        assert [type(one) for one in ended] == [OutcomeUnknownError, ClientClosedError]
        assert len(api.received) == 1


@virtual
async def test_a_call_that_is_cancelled_when_its_client_closes_is_cancelled() -> None:
    async with serving(hangs) as api:
        client = api.client(connector=lambda: VirtualConnector(limit=1))
        calls = [asyncio.create_task(client.get_info()) for _ in range(2)]
        await asyncio.sleep(1)
        for call in calls:
            call.cancel()
        await client.aclose()
        await asyncio.wait(calls)
        assert all(call.cancelled() for call in calls)


@virtual
async def test_waiting_for_a_turn_counts_against_the_timeout() -> None:
    async with calling(answers_after(6), hangs, max_in_flight=1, timeout=10, attempts=1) as (_, project):
        begin = asyncio.get_running_loop().time()
        first = asyncio.ensure_future(get_run(project))
        await asyncio.sleep(0)
        with pytest.raises(RequestTimeoutError):
            await get_run(project)
        assert asyncio.get_running_loop().time() - begin == pytest.approx(10, abs=0.01)
        await first


@virtual
@pytest.mark.parametrize("pool", POOLS_OF_ONE, ids=["connector", "client"])
async def test_a_pool_of_one_connection_is_free_after_a_timeout(pool: dict[str, Any]) -> None:
    async with calling(hangs, says(), **pool, timeout=5) as (api, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_run(project), 1)
        await get_run(project)
        assert len(api.received) == 2


@virtual
async def test_a_cancelled_call_is_cancelled() -> None:
    async with calling(hangs) as (_, project):
        call = asyncio.create_task(get_run(project))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


@virtual
async def test_a_closed_client_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    async with serving(says()) as api:
        served = asyncio.all_tasks()
        async with api.client() as client:
            await asyncio.gather(*[get_run(client.get_project("p")) for _ in range(5)])
        await asyncio.sleep(1)
        assert asyncio.all_tasks() <= served
    assert asyncio.all_tasks() == before


@virtual
async def test_a_failed_call_leaves_no_task() -> None:
    async with Client("k", endpoint="http://127.0.0.1:9", connector=VirtualConnector) as client:
        with pytest.raises(ConnectError):
            await client.get_info()
    assert asyncio.all_tasks() == {asyncio.current_task()}


def warned(caught: list[warnings.WarningMessage]) -> list[str]:
    return [str(one.message) for one in caught if issubclass(one.category, ResourceWarning)]


async def use_real(made: list[Client]) -> str:
    """Use a client that is made at first, over a real socket, and leave it as it is."""
    async with LocalNexus(ScriptedTrainer(), secret_key="local-key") as nexus:
        client = Client("local-key", endpoint=nexus.url)
        made.append(client)
        return (await client.get_info()).name


def test_the_connections_of_a_loop_are_closed_with_it() -> None:
    made: list[Client] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(use_real(made))
        session = made[0]._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own
        assert session.closed
        made.clear()
        gc.collect()
    assert warned(caught) == []


def test_a_client_that_is_used_in_two_loops_in_turn_leaves_nothing_to_warn_of() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client("local-key", endpoint=f"http://127.0.0.1:{port}")

    async def use() -> str:
        async with LocalNexus(ScriptedTrainer(), secret_key="local-key", port=port):
            return (await client.get_info()).name

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert asyncio.run(use()) == asyncio.run(use())
        asyncio.run(client.aclose())
        gc.collect()
    assert warned(caught) == []


def test_a_session_of_a_loop_that_was_closed_in_a_hurry_is_closed_in_the_next() -> None:
    made: list[Client] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(use_real(made))
    session = made[0]._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the loop that was closed without its generators
        loop.close()
        asyncio.run(made[0].aclose())
        gc.collect()
    assert session.closed


def test_a_session_of_a_loop_that_was_closed_in_a_hurry_is_closed_by_the_next_call() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client("local-key", endpoint=f"http://127.0.0.1:{port}")

    async def use() -> object:
        async with LocalNexus(ScriptedTrainer(), secret_key="local-key", port=port):
            await client.get_info()
            return client._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own

    loop = asyncio.new_event_loop()
    session: Any = loop.run_until_complete(use())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # of the loop that was closed without its generators
        loop.close()
        asyncio.run(use())
        gc.collect()
    assert session.closed


def test_closing_in_another_loop_leaves_the_session_to_its_own() -> None:
    made: list[Client] = []
    loop = asyncio.new_event_loop()
    loop.run_until_complete(use_real(made))
    session = made[0]._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own
    asyncio.run(made[0].aclose())
    assert not session.closed
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    assert session.closed


def test_closing_in_another_thread_closes_in_the_thread_of_the_session() -> None:
    loop, made = asyncio.new_event_loop(), list[Client]()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(use_real(made), loop).result()
    session = made[0]._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own
    asyncio.run(made[0].aclose())
    asyncio.run_coroutine_threadsafe(until(lambda: session.closed), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - what another thread does sets no event
        await asyncio.sleep(0)


def test_a_client_that_is_forgotten_with_open_connections_is_warned_of_once_with_what_to_do() -> None:
    calls: list[object] = []

    async def forget() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: calls.append(context))
        await use_real(list[Client]())
        gc.collect()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(forget())
        gc.collect()
    told = warned(caught)
    assert len(told) == 1
    assert "was forgotten with its connections open: use `async with Client(...)`, or `await client.ac" in told[0]
    assert calls == []


@pytest.mark.filterwarnings("ignore:a client of:ResourceWarning")
def test_to_forget_a_client_touches_no_loop_and_its_loop_closes_it_at_its_end() -> None:
    async def forget() -> Any:
        made: list[Client] = []
        await use_real(made)
        session = made[0]._requester._transport._pool._opened.session  # type: ignore[attr-defined]  # its own
        made.clear()
        gc.collect()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not session.closed
        return session

    assert asyncio.run(forget()).closed


@virtual
async def test_a_project_keeps_the_connections_of_a_client_that_is_not_kept() -> None:
    async with serving(says()) as api:
        project = api.client().get_project("p")
        await get_run(project)
        gc.collect()
        await get_run(project)
        async with project:
            pass
