"""Whatever goes wrong, the error is one of this package, and a start that may have happened says so."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from scripted_api import KEY, Crowd, calling, get_run, says, serving, start_run

from nexus_async import (
    Client,
    ConfigurationError,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    StatusError,
)
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from pathlib import Path

virtual = pytest.mark.virtual_time

NOT_UTF8 = b'{"id": "\xff", "code": "\xff"}'
TOO_DEEP = b"[" * 100_000
odd = pytest.mark.parametrize("body", [NOT_UTF8, TOO_DEEP], ids=["not UTF-8", "too deep"])


@virtual
@odd
async def test_a_body_that_no_decoder_takes_is_an_invalid_answer(body: bytes) -> None:
    async with calling(says(200, body)) as (_, project):
        with pytest.raises(InvalidAnswerError):
            await get_run(project)


@virtual
@odd
async def test_a_start_whose_answer_no_decoder_takes_has_an_unknown_outcome(body: bytes) -> None:
    async with calling(says(201, body)) as (_, project):
        with pytest.raises(OutcomeUnknownError):
            await start_run(project)


@virtual
@odd
async def test_a_refusal_whose_body_no_decoder_takes_keeps_its_status(body: bytes) -> None:
    async with calling(says(404, body)) as (_, project):
        with pytest.raises(NotFoundError):
            await get_run(project)


@virtual
@odd
async def test_a_log_that_no_decoder_takes_is_an_invalid_answer(body: bytes) -> None:
    async with calling(says(200, body)) as (_, project):
        with pytest.raises(InvalidAnswerError):
            await project.runs.get_logs("runlog_1")


@virtual
async def test_a_code_of_two_lines_is_told_in_one() -> None:
    async with calling(says(404, {"code": "Two\nLines", "message": "no"})) as (_, project):
        with pytest.raises(NotFoundError) as caught:
            await get_run(project)
    assert len(str(caught.value).splitlines()) == 1


@virtual
@pytest.mark.parametrize("status", [403, 500])
async def test_a_key_that_the_answer_repeats_is_not_told_on(status: int) -> None:
    async with calling(says(status, {"message": f"no access for {KEY}"}), attempts=1) as (_, project):
        with pytest.raises(StatusError) as caught:
            await get_run(project)
    assert KEY not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize("endpoint", ["http://[::1", "http://ex\u2100.example", 5])
def test_an_endpoint_that_cannot_be_split_is_refused(endpoint: Any) -> None:
    with pytest.raises(ConfigurationError):
        Client("k", endpoint=endpoint)


@pytest.mark.parametrize("host", ["..", ".example", "nexus..example"])
def test_a_host_with_an_empty_label_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError):
        Client("k", endpoint=f"http://{host}")


@pytest.mark.parametrize("host", ["a" * 70, "..", "a..b", "\u00e9" * 70])
def test_a_host_that_no_name_server_can_be_asked_for_is_refused(host: str) -> None:
    with pytest.raises(ConfigurationError):
        Client("k", endpoint=f"http://{host}.example")


def test_authorities_that_are_no_path_are_refused() -> None:
    not_a_path: Any = 5
    with pytest.raises(ConfigurationError):
        Client("k", ca_file=not_a_path)


@virtual
@pytest.mark.parametrize("call", [get_run, start_run])
async def test_a_session_that_raises_by_itself_changes_no_error(call: Any) -> None:
    async with (
        serving(says(404)) as api,
        aiohttp.ClientSession(connector=VirtualConnector(), raise_for_status=True) as session,
        api.client(session=session) as client,
    ):
        with pytest.raises(NotFoundError):
            await call(client.get_project("p"))


@virtual
async def test_a_connector_of_ones_own_is_bounded_too() -> None:
    crowd = Crowd(2)
    async with calling(crowd, max_in_flight=2) as (_, project):
        await asyncio.gather(*[get_run(project) for _ in range(8)])
    assert crowd.peak == 2


def test_a_certificate_file_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        Client(certificate_file=tmp_path, private_key_file=tmp_path)
