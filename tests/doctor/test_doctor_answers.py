"""What the doctor reads off the answers themselves: their headers, their dates and how long they took."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from multidict import CIMultiDict
from odd_nexus import lines, odd_nexus, report_on

from nexus_async import Client, ConnectError
from nexus_async.doctor import examine
from nexus_async.doctor.probes.clock import skew
from nexus_async.doctor.wire import Sample, Wire
from nexus_async.testing import client_for

pytestmark = pytest.mark.virtual_time


def sample(sent_at: float, date: float | str, *, seconds: float = 0.1) -> Sample:
    text = date if isinstance(date, str) else format_datetime(datetime.fromtimestamp(int(date), UTC), usegmt=True)
    headers = CIMultiDict({"Date": text})
    return Sample("/workspace", 200, headers, sent_at, seconds, 0)


def test_the_skew_is_bounded_by_every_answer_together() -> None:
    ahead = [sample(1000.0 + i / 10, 1010.05 + i / 10) for i in range(10)]
    found = skew(ahead)
    assert found is not None
    low, high = found
    assert low <= 10.05 <= high
    assert high - low < 0.3


def test_one_answer_bounds_the_skew_to_a_second_and_its_own_time() -> None:
    assert skew([sample(1000.0, 1000.0, seconds=0.5)]) == (-0.5, 1.0)


def test_dates_that_go_with_no_skew_turn_the_bounds_around() -> None:
    found = skew([sample(1000.0, 1000.0), sample(1001.0, 1060.0)])
    assert found is not None
    assert found[0] > found[1]


def test_a_date_that_is_none_is_left_out() -> None:
    assert skew([sample(1000.0, "yesterday")]) is None


@pytest.mark.parametrize(("off", "level"), [(0.0, "ok"), (60.0, "note"), (-60.0, "note")])
async def test_a_clock_that_is_off_is_worth_a_note(off: float, level: str) -> None:
    async with odd_nexus() as nexus, client_for(nexus, clock=lambda: nexus.now() / 1000 - off) as client:
        [said] = lines(await examine(client), "Clocks")
    assert said.startswith(f"{level}: the server's clock is ")


async def test_the_headers_that_a_client_could_use_are_told_with_their_values() -> None:
    async with odd_nexus() as nexus:
        nexus.adds(
            "", RateLimit_Remaining="41", X_RateLimit_Limit="100", Cache_Control="no-store", X_Secret="s3cret"
        )
        said = lines(await report_on(nexus), "Headers")
    all_of_them = next(line for line in said if "`Date`" in line).removeprefix("ok: `Date`: on ").split()[0]
    assert f"ok: `ratelimit-remaining`: on {all_of_them} of {all_of_them} answers: 41 ({all_of_them})" in said
    assert f"ok: `x-ratelimit-limit`: on {all_of_them} of {all_of_them} answers: 100 ({all_of_them})" in said
    assert any("`Cache-Control`" in line and "no-store" in line for line in said)
    assert "x-secret" in said[-1]
    assert "s3cret" not in "".join(said)
    assert "ok: `ETag`: on none" in said


async def test_five_answers_are_timed() -> None:
    async with odd_nexus() as nexus:
        [said] = lines(await report_on(nexus), "Latency")
        assert [path for _, path in nexus.asked].count("/workspace") == 6
    assert said.startswith("ok: GET /workspace, 5 times: ")


async def test_what_answers_is_timed_where_the_workspace_does_not() -> None:
    async with odd_nexus() as nexus:
        nexus.fails("/workspace", 403)
        [said] = lines(await report_on(nexus), "Latency")
    assert said.startswith("ok: GET /workspace/projects, 5 times: ")


NO_HOST = "no connection to https://nexus.corp:8443: Cannot connect to host"
SEVERAL = (
    "Multiple exceptions: [Errno 111] Connect call failed ('::1', 8443, 0, 0), [Errno 113] No route to 'x.corp'"
)
CERTIFICATE = (
    'SSLCertVerificationError: (1, "[SSL: CERTIFICATE_VERIFY_FAILED] Hostname mismatch, '
    "certificate is not valid for 'nexus.corp'. (_ssl.c:1006)\")"
)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (
            f"{NO_HOST} nexus.corp:8443 ssl:default [Connect call failed ('10.1.2.3', 8443)]",
            "no connection to the endpoint: Cannot connect to host ... ssl:default [Connect call failed ...]",
        ),
        (f"{NO_HOST} proxy.corp:3128 ssl:default [Name or service not known]", "[Name or service not known]"),
        (f"{NO_HOST} ::1:8443 ssl:default [{SEVERAL}]", "Connect call failed ..., [Errno 113] No route to ..."),
        (f"{NO_HOST} nexus.corp:8443 ssl:True [{CERTIFICATE}]", "CERTIFICATE_VERIFY_FAILED] Hostname mismatch"),
        ("the proxy let nothing through to https://nexus.corp:8443: 407 Ask me.corp", "the endpoint: 407 ..."),
        ("no connection to https://nexus.corp:8443 stood in time", "no connection to the endpoint stood in time"),
    ],
)
def test_a_connection_that_did_not_stand_is_told_without_a_host_or_an_address(what: str, told: str) -> None:
    client = Client("k", endpoint="https://nexus.corp:8443")
    wire = Wire(client._requester, client.endpoint, clock=lambda: 0.0)
    said = wire.told(ConnectError(what, method="GET", path="/workspace"), "/workspace")
    assert told in said
    assert not any(private in said for private in ("corp", "10.1", "::1"))


async def test_a_function_that_gives_no_key_is_told_as_what_it_is() -> None:
    async with odd_nexus() as nexus, Client(lambda: "", endpoint=nexus.url) as client:
        report = await examine(client)
    told = "broken: GET /workspace: the function for the secret key gave none (3 tries)"
    assert told in lines(report, "Key, workspace, projects")
