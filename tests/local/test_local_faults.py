"""Each kind of fault, as a plain client sees it, over sockets and in virtual time."""

from __future__ import annotations

import asyncio
import gzip
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest
from fault_session import asking, both
from local_api import virtual

from nexus_async.local import Fault, InvalidArgumentError
from nexus_async.local.errors import LocalNexusError

if TYPE_CHECKING:
    from nexus_async.local import LocalRun

NO_MOMENT: Any = "now"


@both
@pytest.mark.parametrize(
    ("status", "code"), [(429, "TooManyRequestsError"), (503, "ServiceUnavailable"), (520, "UnknownError")]
)
async def test_a_refusal_has_its_status_and_the_shape_of_the_api(loop: str, status: int, code: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.refuse(status))
        answer, body = await session.get()
        assert (answer.status, msgspec.json.decode(body)["code"]) == (status, code)


@both
@pytest.mark.parametrize(("given", "written"), [(7, "7"), (0.5, "0.5"), (10**9, "1000000000"), ("soon", "soon")])
async def test_a_retry_after_is_written_as_it_is_given(loop: str, given: Any, written: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.refuse(429, retry_after=given))
        assert (await session.get())[0].headers["Retry-After"] == written


@virtual
async def test_a_retry_after_may_be_a_date_by_the_clock_of_the_server() -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.refuse(429, retry_after=timedelta(seconds=30)))
        headers = (await session.get())[0].headers
        until, since = (parsedate_to_datetime(headers[name]) for name in ("Retry-After", "Date"))
        assert until - since == timedelta(seconds=30)


@both
@pytest.mark.parametrize(
    "make", [lambda done: Fault.refuse(502, carried_out=done), lambda done: Fault.html(502, carried_out=done)]
)
@pytest.mark.parametrize("done", [True, False])
async def test_a_refused_request_takes_effect_where_it_is_said_to(loop: str, make: Any, done: bool) -> None:
    async with asking() as session:
        session.nexus.faults.add(make(done))
        assert (await session.kill())[0].status == 502
        assert session.run.is_over is done


@both
async def test_a_page_is_html(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.html(522))
        answer, body = await session.get()
        assert (answer.status, answer.content_type) == (522, "text/html")
        assert b"<h1>Connection timed out" in body


@both
async def test_a_redirect_leads_to_another_path_or_to_another_origin(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.script([Fault.redirect(), Fault.redirect("https://a.example/", status=307)])
        here, there = [(await session.get())[0] for _ in range(2)]
        path = here.url.path
        assert (here.status, here.headers["Location"]) == (302, f"/moved{path}")
        assert (there.status, there.headers["Location"]) == (307, f"https://a.example{path}")


@virtual
@pytest.mark.parametrize("done", [True, False])
async def test_a_blackhole_never_answers(done: bool) -> None:
    async with asking(timeout=86_000) as session:
        session.nexus.faults.add(Fault.blackhole(carried_out=done))
        with pytest.raises(TimeoutError):
            await session.kill()
        assert session.run.is_over is done


@virtual
@pytest.mark.parametrize("fault", [Fault.blackhole(), Fault.latency(3600), Fault.trickle(0.1)])
async def test_a_server_closes_at_once_though_somebody_waits(fault: Fault) -> None:
    async with asking() as session:
        rule = session.nexus.faults.add(fault)
        waiting = asyncio.create_task(session.get())
        await asyncio.sleep(1)
        begun = asyncio.get_running_loop().time()
        await session.nexus.close()
        assert (rule.struck, asyncio.get_running_loop().time()) == (1, begun)
        await asyncio.gather(waiting, return_exceptions=True)


@virtual
async def test_a_blackhole_is_left_when_the_client_leaves() -> None:
    async with asking(timeout=1) as session:
        before = len(asyncio.all_tasks())
        session.nexus.faults.add(Fault.blackhole())
        with pytest.raises(TimeoutError):
            await session.get()
        await asyncio.sleep(2)
        assert len(asyncio.all_tasks()) == before


@virtual
async def test_latency_comes_before_everything_else() -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.refuse(503))
        session.nexus.faults.add(Fault.latency(30))
        begun = asyncio.get_running_loop().time()
        assert (await session.get())[0].status == 503
        assert asyncio.get_running_loop().time() - begun == pytest.approx(30)


@virtual
@pytest.mark.parametrize("rate", [1, 50, 10_000])
async def test_a_trickle_is_as_slow_as_it_says(rate: float) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.trickle(rate))
        begun = asyncio.get_running_loop().time()
        body = (await session.get())[1]
        assert asyncio.get_running_loop().time() - begun == pytest.approx(len(body) / rate)
        assert body == session.run.encoded()


@virtual
async def test_a_client_that_leaves_a_trickle_is_no_error_of_the_server(caplog: pytest.LogCaptureFixture) -> None:
    async with asking(timeout=1) as session:
        session.nexus.faults.add(Fault.trickle(10))
        with pytest.raises(TimeoutError):
            await session.get()
        await asyncio.sleep(5)
    assert not caplog.records


@both
@pytest.mark.parametrize(("when", "effect"), [("before", False), ("in", True), ("after", True)])
async def test_a_drop_comes_before_or_after_the_request_took_effect(loop: str, when: Any, effect: bool) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.drop(when))
        with pytest.raises(aiohttp.ClientPayloadError if when == "in" else aiohttp.ServerDisconnectedError):
            await session.kill()
        assert session.run.is_over is effect


@both
async def test_a_length_that_is_too_large_is_never_reached(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.wrong_length(10))
        with pytest.raises(aiohttp.ClientPayloadError):
            await session.get()


async def test_a_length_that_is_too_small_leaves_the_rest_on_the_connection() -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.wrong_length(-10))
        promised, body = await session.read_raw()
        assert promised == len(body) - 10
        assert msgspec.json.decode(body)["name"]


async def test_a_drop_in_the_answer_comes_after_half_of_its_body() -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.drop("in"))
        promised, body = await session.read_raw()
        assert len(body) == promised // 2


@both
@pytest.mark.parametrize("fault", [Fault.broken_json(), Fault.empty_body()])
async def test_a_body_that_is_no_json_has_the_right_length(loop: str, fault: Fault) -> None:
    async with asking() as session:
        session.nexus.faults.add(fault)
        answer, body = await session.get()
        assert (answer.status, answer.content_length) == (200, len(body))
        with pytest.raises(msgspec.DecodeError):
            msgspec.json.decode(body)


@both
async def test_wrong_types_are_of_every_member(loop: str) -> None:
    async with asking() as session:
        right = msgspec.json.decode((await session.get())[1])
        session.nexus.faults.add(Fault.wrong_type())
        wrong = msgspec.json.decode((await session.get())[1])
        assert wrong.keys() == right.keys()
        assert not [name for name in right if type(right[name]) is type(wrong[name])]
        assert msgspec.json.decode((await session.ask("runs"))[1])[0]["id"] == 0


@both
async def test_a_body_can_be_changed_by_a_function(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.changed_body(bytes.upper))
        assert (await session.get())[1] == session.run.encoded().upper()


@both
async def test_a_bomb_is_small_until_it_is_inflated(loop: str) -> None:
    async with asking(inflate=False) as session:
        session.nexus.faults.add(Fault.gzip_bomb(3_000_000))
        answer, body = await session.get()
        assert answer.headers["Content-Encoding"] == "gzip"
        assert len(body) < 6_000
        assert len(gzip.decompress(body)) == 3_000_000


def checkpoints(run: LocalRun, count: int) -> None:
    for step in range(count):
        run.checkpoint(step, time=1_000 + step)


@both
async def test_a_rewritten_log_has_other_entries_from_the_first_that_is_named(loop: str) -> None:
    async with asking() as session:
        checkpoints(session.run, 3)
        session.nexus.faults.add(Fault.rewritten_log(1))
        assert [entry["t"] for entry in await session.entries()] == [1000, 1002, 1003]


@both
async def test_a_truncated_log_has_the_first_entries_alone(loop: str) -> None:
    async with asking() as session:
        checkpoints(session.run, 3)
        session.nexus.faults.add(Fault.truncated_log(2), times=1)
        assert [[entry["t"] for entry in await session.entries()] for _ in range(2)] == [
            [1000, 1001],
            [1000, 1001, 1002],
        ]


@both
@pytest.mark.parametrize("fault", [Fault.rewritten_log(), Fault.truncated_log(0)])
async def test_faults_of_logs_leave_all_else_alone(loop: str, fault: Fault) -> None:
    async with asking() as session:
        session.nexus.faults.add(fault)
        assert (await session.get())[1] == session.run.encoded()


@virtual
@pytest.mark.parametrize("skew", [3600, -90.0])
async def test_a_skewed_clock_is_wrong_everywhere_by_as_much(skew: float) -> None:
    async with asking() as session:
        checkpoints(session.run, 1)
        right: list[float] = []
        wrong: list[float] = []
        for times in (right, wrong):
            answer, body = await session.get()
            run = msgspec.json.decode(body)
            dates = run["createDate"], run["updateDate"], run["status"]["updateDate"]
            at = parsedate_to_datetime(answer.headers["Date"]).timestamp() * 1000
            times += [at, *dates, (await session.entries())[0]["t"]]
            session.nexus.faults.add(Fault.clock_skew(skew))
        assert [late - early for late, early in zip(wrong, right, strict=True)] == [skew * 1000] * 5


@both
async def test_a_true_etag_changes_with_the_body(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.etag())
        tag = (await session.get_logs())[0].headers["ETag"]
        same, nothing = await session.get_logs(**{"If-None-Match": tag})
        checkpoints(session.run, 1)
        other, body = await session.get_logs(**{"If-None-Match": tag})
        assert (same.status, same.headers["ETag"], nothing) == (304, tag, b"")
        assert (other.status, other.headers["ETag"] != tag, b"trainingCheckpoint" in body) == (200, True, True)


@both
async def test_a_lying_etag_stays_whatever_changes(loop: str) -> None:
    async with asking() as session:
        session.nexus.faults.add(Fault.lying_etag())
        tag = (await session.get_logs())[0].headers["ETag"]
        checkpoints(session.run, 1)
        assert (await session.get_logs(**{"If-None-Match": tag}))[0].status == 304
        assert len(await session.entries()) == 1


@both
async def test_a_log_that_would_be_sent_in_slices_is_befallen_too(loop: str) -> None:
    async with asking() as session:
        checkpoints(session.run, 5_000)
        session.nexus.faults.add(Fault.truncated_log(10))
        assert len(await session.entries()) == 10


@both
@pytest.mark.parametrize("fault", [Fault.broken_json(), Fault.etag(), Fault.truncated_log(1)])
async def test_a_refusal_of_the_api_is_left_as_it_is(loop: str, fault: Fault) -> None:
    async with asking() as session:
        session.nexus.faults.add(fault)
        answer, body = await session.ask("runs/none")
        assert (answer.status, msgspec.json.decode(body)["code"]) == (404, "ResourceNotFoundError")
        assert "ETag" not in answer.headers


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Fault.refuse(399), "status=399"),
        (lambda: Fault.html(600), "status=600"),
        (lambda: Fault.redirect(status=200), "status=200"),
        (lambda: Fault.redirect("a.example"), "to='a.example'"),
        (lambda: Fault.latency(0), "seconds=0"),
        (lambda: Fault.trickle(float("nan")), "bytes_per_second=nan"),
        (lambda: Fault.drop(NO_MOMENT), "when='now'"),
        (lambda: Fault.wrong_length(0), "by=0"),
        (lambda: Fault.gzip_bomb(0), "size=0"),
        (lambda: Fault.rewritten_log(-1), "first=-1"),
        (lambda: Fault.truncated_log(-1), "keep=-1"),
        (lambda: Fault.clock_skew(float("inf")), "seconds=inf"),
    ],
)  # fmt: skip
def test_a_fault_that_makes_no_sense_is_refused_by_name(make: Any, names: str) -> None:
    with pytest.raises(InvalidArgumentError, match=names) as caught:
        make()
    assert isinstance(caught.value, LocalNexusError)
    assert ":" in str(caught.value) or "must" in str(caught.value)
