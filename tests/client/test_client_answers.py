"""Answers that are odd and may be read, and answers that may not."""

from __future__ import annotations

from typing import Any

import pytest
from scripted_api import ANY, RUN, calling, get_run, says

from nexus_async import InvalidAnswerError

pytestmark = pytest.mark.virtual_time


async def run_of(body: object) -> Any:
    async with calling(says(200, body)) as (_, project):
        return await project.runs.get("run_1")


async def test_an_integer_may_be_written_as_a_float() -> None:
    assert (await run_of({**RUN, "createDate": 1700200466147.0})).create_date == 1700200466147


async def test_a_null_is_an_absent_member() -> None:
    run = await run_of({**RUN, "logIds": None, "features": None})
    assert (run.log_ids, run.features.matrix) == ([], False)


async def test_a_null_within_a_list_of_runs_is_an_absent_member() -> None:
    async with calling(says(200, [{**RUN, "logIds": None}])) as (_, project):
        assert [run.log_ids for run in await project.runs.list()] == [[]]


async def test_a_status_that_nobody_knows_is_kept() -> None:
    status = {"overview": "Pausing", "message": None, "updateDate": 5}
    run = await run_of({**RUN, "status": status})
    assert (run.status.overview, run.status.is_terminal) == ("Pausing", False)


async def test_a_member_that_nobody_knows_is_ignored() -> None:
    assert (await run_of({**RUN, "novelty": {"a": [1]}})).id == "run_1"


async def test_a_success_of_any_number_is_one() -> None:
    async with calling(says(206, ANY)) as (_, project):
        assert await get_run(project)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"<html><body>Log in</body></html>",
        b'{"id": "run_1"}',
        b'{"id": null}',
        b"\x1f\x8b\x08",
    ],
)
async def test_an_answer_that_is_no_run_is_invalid_and_kept(body: bytes) -> None:
    with pytest.raises(InvalidAnswerError) as caught:
        await run_of(body)
    assert caught.value.body == body
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "change", [{"createDate": "soon"}, {"status": "Running"}, {"logIds": "runlog_1"}, {"id": 7}]
)
async def test_a_member_of_another_kind_is_invalid_and_named(change: dict[str, object]) -> None:
    with pytest.raises(InvalidAnswerError, match=rf"\$\.{next(iter(change))}"):
        await run_of({**RUN, **change})


async def test_one_unsound_run_makes_a_list_invalid_and_is_named() -> None:
    async with calling(says(200, [RUN, {**RUN, "id": 7}])) as (_, project):
        with pytest.raises(InvalidAnswerError, match=r"\$\[1\]\.id|\$\[\.\.\.\]\.id"):
            await project.runs.list()
