"""What the doctor finds in logs and matrices, and in an active run that it looks at twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from odd_nexus import OddNexus, body_of, lines, odd_nexus, report_on

from nexus_async.doctor.entries import EntryTally

if TYPE_CHECKING:
    from aiohttp import web

    from nexus_async.doctor import Report

pytestmark = pytest.mark.virtual_time

CHECKPOINT = b'{"ev":"trainingCheckpoint","t":1700200466147,"pl":{"step":1,"totalLoss":1.5}}'


def entries(*raw: bytes) -> list[str]:
    tally = EntryTally()
    tally.take(b'{"id":"runlog_1","logs":[' + b",".join(raw) + b"]}")
    return [f"{finding.level}: {finding.text}" for finding in tally.findings()]


def test_an_ev_that_is_unknown_is_told_with_the_keys_of_its_payload() -> None:
    said = entries(CHECKPOINT, b'{"ev":"evaluationDone","t":1,"pl":{"mAP":"0.5","classes":["cat"]}}')
    assert "note: `ev` `evaluationDone` is unknown to this release: 1 time" in said
    assert "ok: `pl` of `evaluationDone`: `classes` list (1), `mAP` text (1)" in said
    assert "ok: 1 log, 2 entries, 1 of them checkpoints" in said


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":"1"}}', "broken: a trainingCheckpoint is no checkpoint: its `step` is text: 1 time"),
        (b'{"ev":"trainingCheckpoint","t":1,"pl":{}}', "broken: a trainingCheckpoint is no checkpoint: it has no `step`: 1 time"),
        (b'{"ev":"trainingCheckpoint","t":1}', "broken: a trainingCheckpoint is no checkpoint: its `pl` is null: 1 time"),
        (b'["secret"]', "note: an entry is list in place of an object: 1 time"),
        (b'{"ev":null,"t":1,"pl":{}}', "note: `ev` `<null>` is unknown to this release: 1 time"),
        (b'{"ev":"trainingCheckpoint","t":"1","pl":{"step":1}}', "note: the `t` of an entry is text in place of milliseconds: 1 time"),
        (b'{"ev":"trainingCheckpoint","pl":{"step":1}}', "note: the `t` of an entry is nothing in place of milliseconds: 1 time"),
        (b'{"ev":"trainingCheckpoint","t":1,"pl":{"step":1},"id":7}', "note: an entry has `id` (integer) beside ev, t and pl: 1 time"),
        (b"{oops}", "note: an entry is text in place of an object: 1 time"),
    ],
)  # fmt: skip
def test_an_entry_that_is_not_taken_as_it_should_is_told(entry: bytes, told: str) -> None:
    assert told in entries(CHECKPOINT, entry)


def test_time_and_step_that_go_back_are_counted() -> None:
    def at(t: int, step: int) -> bytes:
        return b'{"ev":"trainingCheckpoint","t":%d,"pl":{"step":%d}}' % (t, step)

    said = entries(at(5, 1), at(5, 2), at(4, 1), at(9, 0))
    assert "note: within a log, `t` goes back: 1 time" in said
    assert "note: within a log, `step` goes back: 2 times" in said


async def test_a_log_that_is_none_is_broken() -> None:
    async with odd_nexus() as nexus:
        run = nexus.train(1, over=True)
        nexus.says(run.log_ids[0], lambda log: {"entries": log["logs"]})
        report = await report_on(nexus)
    assert report.exit_code == 1
    assert any("cannot be read" in line for line in lines(report, "Logs"))
    assert "broken: `RunLogs.logs` is not there: 1 time in 1" in lines(report, "Shapes")


async def matrix(change: Any) -> Report:
    async with odd_nexus() as nexus:
        nexus.train(1, over=True).evaluate(1, ["kitten", "puppy"], [[1, 0], [0, 1]])
        nexus.says("/confusionMatrix", change)
        return await report_on(nexus)


async def test_a_matrix_that_decodes_is_told_without_its_classes() -> None:
    report = await matrix(lambda answer: answer)
    [said] = lines(report, "Confusion")
    assert said.endswith(
        "decodes: 1 evaluation, each named by a step, 3 rows and columns with Background, data as text"
    )
    assert "kitten" not in report.markdown()


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("{oops", "its `data` is no JSON"),
        ('["cat"]', "its `data` holds list in place of an object"),
        (
            '{"1": [{"id": "cat", "data": [{"x": "dog", "y": 1}]}]}',
            "a class or a cell stands twice, is unknown or",
        ),
    ],
)
async def test_a_matrix_that_makes_no_sense_is_broken(data: str, told: str) -> None:
    report = await matrix(lambda answer: {**answer, "data": data})
    [said] = lines(report, "Confusion")
    assert said.startswith("broken: the confusion matrix of run_")
    assert told in said


async def test_what_is_unknown_within_a_matrix_is_told() -> None:
    report = await matrix(lambda a: {**a, "data": '{"1": [{"id": "a", "hue": 3, "data": [{"x": "a", "y": 1}]}]}'})
    assert "note: `Column.hue` (integer) is unknown to this release: 1 time in 1" in lines(report, "Shapes")


async def test_a_run_without_a_matrix_is_a_note() -> None:
    async with odd_nexus() as nexus:
        nexus.train(1)
        report = await report_on(nexus)
    [said] = lines(report, "Confusion")
    assert said.startswith("note: GET /projects/{project}/runs/{run}/confusionMatrix: 404 ResourceNotFoundError")
    assert report.exit_code == 0


async def watched(step: Any, *, wait: float = 20.0) -> list[str]:
    """Report on an active run that `step` is done to between the two looks."""
    async with odd_nexus() as nexus:
        run = nexus.train(1)
        asyncio.get_running_loop().call_later(wait / 2, step, nexus, run)
        return lines(await report_on(nexus, wait=wait), "updateDate")


def checkpoint(_: OddNexus, run: Any) -> None:
    run.checkpoint(step=2, totalLoss=1.0)


async def test_an_update_date_that_stands_still_while_checkpoints_come_is_told() -> None:
    [said] = await watched(checkpoint)
    assert said.endswith("(Running): `updateDate` does not move with checkpoints")


async def test_an_update_date_that_moves_with_checkpoints_is_told_with_its_distance() -> None:
    def move(nexus: OddNexus, run: Any) -> None:
        checkpoint(nexus, run)
        run.update_date, run._encoded = nexus.now() + 1500, None

    [said] = await watched(move)
    assert said.endswith("`updateDate` moves with checkpoints; it is +1.5 s from the `t` of the newest")


async def test_no_new_checkpoint_between_the_looks_tells_nothing() -> None:
    [said] = await watched(lambda *_: None)
    assert said.endswith("no new checkpoint within 20 s, and `updateDate` stands still as well; try --wait 80")


async def test_a_change_of_status_between_the_looks_tells_nothing() -> None:
    def end(nexus: OddNexus, run: Any) -> None:
        checkpoint(nexus, run)
        run.finish()

    [said] = await watched(end)
    assert "its status changed meanwhile" in said


async def test_no_active_run_is_said_and_not_waited_for() -> None:
    async with odd_nexus() as nexus:
        nexus.train(1, over=True)
        began = asyncio.get_running_loop().time()
        report = await report_on(nexus, wait=500)
        assert asyncio.get_running_loop().time() - began < 100
    assert lines(report, "updateDate") == [
        "unknown: no active run with a log: whether `updateDate` moves with checkpoints cannot be told"
    ]


async def test_whoever_waits_is_told_what_for() -> None:
    said: list[str] = []
    async with odd_nexus() as nexus:
        nexus.train(1)
        await report_on(nexus, wait=5, say=said.append)
    assert said == ["looking at 1 active run again in 5 s"]


@pytest.mark.parametrize(("honest", "told"), [(True, "left out by a 304"), (False, "comes whole all the same")])
async def test_whether_a_validator_spares_a_body_is_told(honest: bool, told: str) -> None:
    async with odd_nexus() as nexus:
        run = nexus.train(1, over=True)
        nexus.changes[run.log_ids[0]] = validated(honest=honest)
        report = await report_on(nexus)
    assert told in lines(report, "Validators")[0]
    assert any(
        line.startswith("ok: `ETag`: on ") and "1 of them weak" in line for line in lines(report, "Headers")
    )


def validated(*, honest: bool) -> Any:
    from aiohttp import web

    times: list[int] = []

    def change(answer: web.Response) -> web.StreamResponse:
        times.append(1)
        if honest and len(times) > 2:
            return web.Response(status=304, headers={"ETag": '"1"'})
        return web.Response(body=body_of(answer), headers={"ETag": 'W/"1"' if len(times) == 1 else '"1"'})

    return change
