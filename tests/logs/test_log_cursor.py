"""Cursors: the token that resumes, and what is refused as one."""

from __future__ import annotations

import base64
import string

import msgspec
import pytest
import xxhash
from hypothesis import assume, given, strategies as st

from nexus_async import InvalidCursorError
from nexus_async.logs import Beginning, Cursor, Position

counts = st.integers(0, 2**63)
positions = st.builds(
    Position,
    read=counts,
    index=counts,
    digest=st.binary(min_size=16, max_size=16),
    tail=st.lists(st.binary(min_size=8, max_size=8), max_size=8).map(b"".join),
    length=counts,
    prefix=st.binary(min_size=16, max_size=16),
)
ids = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
cursors = st.builds(
    Cursor,
    ids,
    st.dictionaries(ids, positions, max_size=3),
    ended=st.booleans(),
    project_id=ids,
    status=ids,
    status_date=counts,
    removals=counts,
    beginning=st.none() | st.builds(Beginning, st.none() | counts, st.none() | st.floats(allow_nan=False)),
)

FULL = Position(10**6, 10**6, b"d" * 16, b"f" * 64, 10**8, b"p" * 16)
TOKEN = Cursor("run_1", {"runlog_1": FULL}).token()


def packed(*fields: object) -> str:
    cursor = msgspec.msgpack.encode(fields)
    text = base64.urlsafe_b64encode(cursor + xxhash.xxh32_digest(cursor)).rstrip(b"=")
    return f"nxc1.{text.decode()}"


@given(cursors)
def test_a_token_reads_back_as_the_cursor_that_it_was_made_of(cursor: Cursor) -> None:
    assert Cursor.parse(cursor.token(), run_id=cursor.run_id) == cursor


@given(cursors)
def test_a_token_tells_its_run(cursor: Cursor) -> None:
    assert Cursor.read(cursor.token()).run_id == cursor.run_id


@given(cursors)
def test_a_token_goes_unquoted_into_a_url_or_a_file_name(cursor: Cursor) -> None:
    assert set(cursor.token()) <= {*string.ascii_letters, *string.digits, "-", "_", "."}


def test_a_token_of_a_long_log_stays_small() -> None:
    assert len(TOKEN) < 250


@pytest.mark.parametrize(
    "token", ["", "latest", "nxc1", "nxc.AA", "nxc1.a b", f"{TOKEN}\n", f" {TOKEN}", f"{TOKEN}="]
)
def test_what_does_not_look_like_a_cursor_is_refused(token: str) -> None:
    with pytest.raises(InvalidCursorError, match="is no cursor: pass one as an event or a stream gave it"):
        Cursor.parse(token, run_id="run_1")


@pytest.mark.parametrize("token", [None, 7, TOKEN.encode()])
def test_what_is_no_text_is_no_cursor(token: str) -> None:
    with pytest.raises(InvalidCursorError, match="is no cursor"):
        Cursor.parse(token, run_id="run_1")


@pytest.mark.parametrize(
    "token", ["nxc1.", "nxc1.A", TOKEN[:-4], TOKEN + "AAAA", packed(), packed(7), packed("run_1", [])]
)
def test_a_damaged_cursor_is_refused(token: str) -> None:
    with pytest.raises(InvalidCursorError, match="the cursor is damaged"):
        Cursor.parse(token, run_id="run_1")


@given(st.integers(5, len(TOKEN) - 3), st.sampled_from(string.ascii_letters))
def test_one_wrong_character_is_noticed(place: int, letter: str) -> None:
    damaged = TOKEN[:place] + letter + TOKEN[place + 1 :]
    assume(damaged != TOKEN)
    with pytest.raises(InvalidCursorError, match="the cursor is damaged"):
        Cursor.parse(damaged, run_id="run_1")


def test_the_cursor_of_another_run_is_refused_with_both_names() -> None:
    with pytest.raises(InvalidCursorError, match="the cursor is of run_1, not of run_2"):
        Cursor.parse(TOKEN, run_id="run_2")


def test_the_cursor_of_a_newer_release_asks_to_upgrade() -> None:
    with pytest.raises(InvalidCursorError, match="of version 2, this release reads up to 1: upgrade nexus-async"):
        Cursor.parse(TOKEN.replace("nxc1", "nxc2"), run_id="run_1")


def test_a_cursor_with_nothing_read_resumes_from_the_beginning() -> None:
    assert Cursor.parse(packed("run_1"), run_id="run_1") == Cursor("run_1")


def test_a_cursor_of_the_first_version_is_read_by_every_later_release() -> None:
    token = (
        "nxc1.lqVydW5fMYGhbJYDA8QQZGRkZGRkZGRkZGRkZGRkZMQIYWFhYWFhYWEKxBBwcHBwcHBwcHBwcHBwcHBww6Zwcm9qXzG"
        "oRmluaXNoZWTPAAABjRW30ZxGr1Mc"
    )
    position = Position(3, 3, b"d" * 16, b"a" * 8, 10, b"p" * 16)
    assert Cursor.parse(token, run_id="run_1") == Cursor(
        "run_1", {"l": position}, ended=True, project_id="proj_1", status="Finished", status_date=1705466384796
    )


def test_a_cursor_of_a_run_that_was_not_read_yet_is_read_by_every_later_release() -> None:
    token = "nxc1.mKVydW5fMYDCpnByb2pfMadSdW5uaW5nzwAAAY0Vt9GcApIFy0HWWgvAAAAAwbUAeg"
    assert Cursor.parse(token, run_id="run_1") == Cursor(
        "run_1",
        project_id="proj_1",
        status="Running",
        status_date=1705466384796,
        removals=2,
        beginning=Beginning(tail=5, since=1.5e9),
    )


def test_a_cursor_is_untold_until_something_of_its_run_is_handled() -> None:
    handled = Cursor("run_1", status="Running", status_date=5, removals=1, beginning=Beginning(tail=0))
    assert handled.untold() == Cursor("run_1", removals=1, beginning=Beginning(tail=0))
    assert handled.untold().is_untold
    for cursor in (handled, Cursor("run_1", {"runlog_1": FULL}), Cursor("run_1", ended=True)):
        assert not cursor.is_untold
