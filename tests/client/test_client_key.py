"""The secret key as a function: asked for when it is needed, and again after a 401."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from scripted_api import calling, get_run, says, start_run

from nexus_async import AuthenticationError, Client, ConfigurationError, ForbiddenError, SecretKeyError
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web
    from scripted_api import ScriptedApi

    from nexus_async import Project

pytestmark = pytest.mark.virtual_time
OLD, NEW = "old-secret-key-of-a-user", "new-secret-key-of-a-user"


class Keys:
    """Give one key after the other, and the last one ever after; count how often."""

    def __init__(self, *keys: Any) -> None:
        self.keys = keys
        self.asked = 0

    def __call__(self) -> Any:
        self.asked += 1
        return self.keys[min(self.asked, len(self.keys)) - 1]

    async def slowly(self) -> Any:
        await asyncio.sleep(1)
        return self()


async def takes_the_new_one(request: web.Request) -> web.StreamResponse:
    """Refuse every other key, and repeat it."""
    key = request.headers["Secret-Key"]
    return await (says() if key == NEW else says(401, {"message": f"{key} is over"}))(request)


def keys_sent(api: ScriptedApi) -> list[str]:
    return [received.headers["Secret-Key"] for received in api.received]


async def call_as(api: ScriptedApi, source: Any, call: Callable[[Project], Any] = get_run) -> Any:
    client = Client(source, endpoint=api.url, connector=VirtualConnector, jitter=lambda pause: pause)
    async with client.get_project("p") as project:
        return await call(project)


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with calling(takes_the_new_one) as (api, _):
        yield api


@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
async def test_a_function_gives_the_key_once_for_many_calls(api: ScriptedApi, kind: str) -> None:
    keys = Keys(NEW, OLD)

    async def twice(project: Project) -> None:
        await asyncio.gather(*[get_run(project) for _ in range(5)])
        await get_run(project)

    await call_as(api, keys if kind == "plain" else keys.slowly, twice)
    assert (keys.asked, set(keys_sent(api))) == (1, {NEW})


async def test_the_function_is_not_asked_before_the_first_call() -> None:
    keys = Keys(NEW)
    async with Client(keys):
        pass
    assert keys.asked == 0


@pytest.mark.parametrize("call", [get_run, start_run])
async def test_the_key_is_asked_for_again_after_a_401(api: ScriptedApi, call: Callable[[Project], Any]) -> None:
    keys = Keys(OLD, NEW)
    await call_as(api, keys, call)
    assert (keys.asked, keys_sent(api)) == (2, [OLD, NEW])


async def test_a_poll_is_sent_again_with_another_key_too(api: ScriptedApi) -> None:
    keys = Keys(OLD, NEW)
    await call_as(api, keys, lambda project: project.runs._source.get_run("run_1"))
    assert (keys.asked, keys_sent(api)) == (2, [OLD, NEW])


async def test_calls_that_are_refused_together_ask_once(api: ScriptedApi) -> None:
    keys = Keys(OLD, NEW, "a-third-secret-key")

    async def together(project: Project) -> None:
        await asyncio.gather(*[get_run(project) for _ in range(8)])

    await call_as(api, keys.slowly, together)
    assert keys.asked == 2


async def test_the_key_before_is_not_told_either() -> None:
    async with calling(says(401), says(403, {"message": f"{OLD} was replaced by {NEW}"})) as (api, _):
        with pytest.raises(ForbiddenError, match=r"\[secret key\] was replaced by \[secret key\]") as caught:
            await call_as(api, Keys(OLD, NEW))
    assert not {OLD, NEW} & set(str(caught.value).split())


async def test_a_call_asks_once_and_then_fails(api: ScriptedApi) -> None:
    keys = Keys(OLD, "a-third-secret-key", NEW)
    with pytest.raises(AuthenticationError) as caught:
        await call_as(api, keys)
    assert (keys.asked, caught.value.attempts, len(api.received)) == (2, 2, 2)


async def test_the_same_key_is_not_sent_again(api: ScriptedApi) -> None:
    keys = Keys(OLD)
    with pytest.raises(AuthenticationError):
        await call_as(api, keys)
    assert (keys.asked, len(api.received)) == (2, 1)


async def test_a_key_that_is_a_text_is_not_asked_for_again(api: ScriptedApi) -> None:
    with pytest.raises(AuthenticationError):
        await call_as(api, OLD)
    assert len(api.received) == 1


def raises() -> str:
    raise LookupError(f"the vault said {OLD}")


async def waits_for_what_was_cancelled() -> str:
    vault: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    vault.cancel()
    return await vault


async def hangs_on() -> str:
    await asyncio.sleep(1e6)
    return NEW


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (raises, "raised LookupError"),
        (Keys(None), "gave NoneType in place of a key"),
        (Keys(OLD.encode()), "gave bytes in place of a key"),
        (Keys(""), "gave a text that no header may carry"),
        (Keys(f"{OLD}\r\nX-Mine: yes"), "gave a text that no header may carry"),
        (hangs_on, "gave none within"),
        (waits_for_what_was_cancelled, "was cancelled"),
    ],
    ids=["raises", "None", "bytes", "empty", "two lines", "hangs", "cancelled"],
)
async def test_a_function_without_a_key_is_told_without_its_value(
    api: ScriptedApi, source: Any, told: str
) -> None:
    with pytest.raises(SecretKeyError, match=f"^GET /projects/proj_p/runs/run_1: .*{told}") as caught:
        await call_as(api, source)
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    assert OLD not in "".join(f"{error!r} {error} {vars(error)}" for error in chain if error)
    assert api.received == []


async def test_a_function_that_fails_after_a_401_is_not_said_to_have_sent_nothing(api: ScriptedApi) -> None:
    keys = Keys(None, OLD, None)
    with pytest.raises(SecretKeyError, match=r"refused, and no other came: .* NoneType .*\(2 attempts\)"):
        await call_as(api, keys)
    assert (keys.asked, keys_sent(api)) == (3, [OLD])


async def test_a_call_that_is_cancelled_while_it_waits_for_its_key_is_cancelled(api: ScriptedApi) -> None:
    call = asyncio.create_task(call_as(api, hangs_on))
    await asyncio.sleep(1)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()


async def test_a_function_that_fails_once_is_asked_again(api: ScriptedApi) -> None:
    keys = Keys(None, NEW)
    await call_as(api, keys)
    assert keys.asked == 2


async def test_a_stream_rides_out_a_function_that_fails(api: ScriptedApi) -> None:
    keys = Keys(None, None, None, OLD, NEW)

    async def first(project: Project) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(project.runs.stream_logs("run_1")), 60)

    await call_as(api, keys, first)
    assert keys.asked == 5


@pytest.mark.parametrize("key", [OLD.encode(), 7, ["k"]])
def test_a_key_that_is_neither_a_text_nor_a_function_is_refused(key: Any) -> None:
    with pytest.raises(ConfigurationError, match="the secret key has a character"):
        Client(key)
