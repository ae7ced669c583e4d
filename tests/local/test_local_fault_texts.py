"""Faults as the command line writes them, and the table of the documents that lists them all."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

import pytest
from fault_session import asking
from local_api import virtual

from nexus_async.local import Fault, InvalidArgumentError, LocalNexus
from nexus_async.local.faults.rule import Conditions
from nexus_async.local.faults.text import read_fault

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "local-nexus.md"
ROWS = re.findall(r"^\| `(Fault\..+?)` \| `(\S+)` \|", DOCUMENT.read_text(), re.MULTILINE)
KINDS = {name for name in vars(Fault) if not name.startswith("_") and name != "behaviour"}


def test_the_table_lists_every_kind_but_the_one_that_takes_a_function() -> None:
    assert {call.split(".")[1].split("(")[0] for call, _ in ROWS} == KINDS - {"changed_body"}


@pytest.mark.parametrize(("call", "text"), ROWS)
def test_both_ways_to_write_a_fault_mean_the_same(call: str, text: str) -> None:
    fault = eval(call, {"Fault": Fault, "timedelta": timedelta})
    assert read_fault(text).fault == fault
    assert read_fault(text).on in {"get", "get_logs"}


@virtual
@pytest.mark.parametrize("text", [text for _, text in ROWS])
async def test_every_fault_of_the_table_strikes(text: str) -> None:
    async with asking(timeout=60) as session:
        rule = session.nexus.faults.add_text(text)
        ask = session.get_logs if text.startswith("get_logs") else session.get
        await asyncio.gather(ask(), return_exceptions=True)
        assert rule.struck


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("any:503", Conditions()),
        ("any:503:10%", Conditions(chance=0.1)),
        ("any:503:0.5%:times=2", Conditions(chance=0.005, times=2)),
        ("any:latency=1:every=3:skip=4", Conditions(every=3, skip=4)),
        ("any:redirect=http://127.0.0.1:80:seconds=60", Conditions(seconds=60.0)),
    ],
)
def test_conditions_come_after_the_kind(text: str, when: Conditions) -> None:
    assert read_fault(text).conditions == when


def test_a_url_may_have_a_port_and_a_path() -> None:
    read = read_fault("POST /projects/*:redirect=https://a.example:8443/b:times=1")
    assert (read.fault, read.on) == (Fault.redirect("https://a.example:8443/b"), "POST /projects/*")


def test_the_colons_of_an_address_and_of_a_date_end_no_part() -> None:
    assert read_fault("get:redirect=http://[::1]:80:times=1").fault == Fault.redirect("http://[::1]:80")
    date = "Wed, 21 Oct 2026 07:28:00 GMT"
    read = read_fault(f"get:429:retry_after={date}:10%")
    assert (read.fault, read.conditions.chance) == (Fault.refuse(429, retry_after=date), 0.1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "any"),
        ("gets:503", "get_confusion_matrix"),
        ("get", "latency"),
        ("get:50x", "blackhole"),
        ("get:99", "from 400 to 599"),
        ("get:latency", "'latency=0.5'"),
        ("get:drop=", "'drop=before'"),
        ("get:drop=now", "'before', 'in', 'after'"),
        ("get:latency=soon", "a number"),
        ("get:wrong_length=1.5", "a whole number"),
        ("get:blackhole=1", "leave out '=1'"),
        ("get:503:often", "times="),
        ("get:503:times=x", "a whole number"),
        ("get:503:0%", "chance=0.0"),
        ("get:latency=1:carried_out", "'carried_out' is no condition"),
        ("get:503:late", "carried_out"),
        ("get:503=1", "leave out '=1'"),
        ("get:503:carried_out=false", "leave out '=false'"),
        ("get:429:retry_after", "'retry_after=3'"),
        ("get:429:retry_after=", "'retry_after=3'"),
    ],
)
def test_a_text_that_cannot_be_read_is_refused_with_what_there_is(text: str, says: str) -> None:
    with pytest.raises(InvalidArgumentError, match=re.escape(says)) as caught:
        LocalNexus().faults.add_text(text)
    assert repr(text) in str(caught.value)
