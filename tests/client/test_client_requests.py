"""Asking for what has no method of its own: it goes as every call does."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scripted_api import calling, drops_in_the_answer, says

from nexus_async import (
    Attempt,
    InvalidAnswerError,
    InvalidArgumentError,
    NexusError,
    NotFoundError,
    OutcomeUnknownError,
    RequestTimeoutError,
)

pytestmark = pytest.mark.virtual_time


class Artifact(msgspec.Struct, frozen=True):
    id: str
    size: int


ARTIFACTS = [{"id": "a", "size": 1.0, "more": None}]


async def test_a_project_is_asked_below_its_own_path() -> None:
    async with calling(says(body=ARTIFACTS)) as (api, project):
        await project.request("GET", "/artifacts", params={"status": ["a", "b"], "all": True})
        assert api.received[0].path == "/projects/proj_1/artifacts?status[]=a&status[]=b&all=true"


async def test_a_client_is_asked_below_the_endpoint() -> None:
    async with calling(says()) as (api, _), api.client() as client:
        await client.request("GET", "/workspace/keys")
        assert api.received[0].path == "/workspace/keys"


async def test_the_answer_is_of_the_type_that_was_asked_for() -> None:
    async with calling(says(body=ARTIFACTS)) as (_, project):
        assert await project.request("GET", "/artifacts", type=list[Artifact]) == [Artifact("a", 1)]


async def test_without_a_type_the_answer_is_what_its_json_is() -> None:
    async with calling(says(body=ARTIFACTS)) as (_, project):
        assert await project.request("GET", "/artifacts") == ARTIFACTS


async def test_without_a_type_an_empty_answer_is_none() -> None:
    async with calling(says(204, b"")) as (_, project):
        assert await project.request("DELETE", "/artifacts/a") is None


@pytest.mark.parametrize("body", [b"", b"{", b'[{"id": 1}]'])
async def test_an_answer_of_another_type_is_invalid(body: bytes) -> None:
    async with calling(says(body=body)) as (_, project):
        with pytest.raises(InvalidAnswerError):
            await project.request("GET", "/artifacts", type=list[Artifact])


async def test_a_type_that_nothing_decodes_into_is_refused_before_anything_is_sent() -> None:
    wrong: Any = list["Artifact"]
    async with calling(says()) as (api, project):
        with pytest.raises(InvalidArgumentError, match="type=list"):
            await project.request("GET", "/artifacts", type=wrong)
        assert api.received == []


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
async def test_a_body_goes_with_every_method(method: str) -> None:
    async with calling(says()) as (api, project):
        await project.request(method, "/artifacts", json={"name": "x"})
        [received] = api.received
        assert (received.method, received.body) == (method, b'{"name":"x"}')
        assert received.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(("method", "sent"), [("GET", 3), ("PUT", 3), ("DELETE", 3), ("PATCH", 1), ("POST", 1)])
async def test_what_may_be_sent_again_is_told_by_the_method(method: str, sent: int) -> None:
    async with calling(says(503)) as (api, project):
        with pytest.raises(NexusError) as caught:
            await project.request(method, "/artifacts")
        assert len(api.received) == sent
        assert isinstance(caught.value, OutcomeUnknownError) is (sent == 1)


async def test_a_post_that_does_no_harm_is_sent_again() -> None:
    async with calling(drops_in_the_answer, says(body=7)) as (api, project):
        assert await project.request("POST", "/search", repeatable=True) == 7
        assert len(api.received) == 2


async def test_a_get_that_does_harm_is_not_sent_again() -> None:
    async with calling(says(503)) as (api, project):
        with pytest.raises(OutcomeUnknownError):
            await project.request("GET", "/next", repeatable=False)
        assert len(api.received) == 1


async def test_a_refusal_is_the_error_of_its_status() -> None:
    async with calling(says(404, {"message": "no such artifact"})) as (_, project):
        with pytest.raises(NotFoundError, match="GET /projects/proj_1/artifacts/a: 404: no such artifact"):
            await project.request("GET", "/artifacts/a")


async def test_the_timeout_of_the_client_bounds_it() -> None:
    async def hangs(request: object) -> Any:
        import asyncio

        await asyncio.sleep(1000)

    async with calling(hangs, timeout=5) as (_, project):
        with pytest.raises(RequestTimeoutError):
            await project.request("GET", "/artifacts")


async def test_hooks_are_told_of_it_without_its_query() -> None:
    told: list[Attempt] = []
    async with calling(says(), on_attempt=told.append) as (_, project):
        await project.request("GET", "/artifacts", params={"name": "private"})
    assert [(a.method, a.path) for a in told] == [("GET", "/projects/proj_1/artifacts")]
