"""Positions: how they move with each entry, and where reading goes on in a log that changed."""

from __future__ import annotations

from hypothesis import given, strategies as st

from nexus_async.logs import Position
from nexus_async.logs.position import REMEMBERED, realigned

few = st.lists(st.integers(0, 3).map(lambda each: bytes([each]) * 8), max_size=14)


def after(log: list[bytes], start: Position | None = None) -> Position:
    position = start or Position()
    for fingerprint in log:
        position = position.after(fingerprint)
    return position


def ends_of(stretch: tuple[bytes, ...], log: list[bytes]) -> list[int]:
    length = len(stretch)
    return [end for end in range(length, len(log) + 1) if tuple(log[end - length : end]) == stretch]


def best_places(tail: tuple[bytes, ...], log: list[bytes]) -> tuple[int, int]:
    """Return the length of the longest stretch and the earliest end, found by trying all."""
    for length in range(len(tail), 0, -1):
        ends = [end for i in range(len(tail) - length + 1) for end in ends_of(tail[i : i + length], log)]
        if ends:
            return length, min(ends)
    return 0, 0


@given(few)
def test_a_position_counts_and_remembers_the_last_eight(log: list[bytes]) -> None:
    position = after(log)
    assert (position.read, position.index, position.tail) == (len(log), len(log), b"".join(log[-REMEMBERED:]))


@given(few, few)
def test_a_digest_stands_for_every_entry_and_their_order(one: list[bytes], other: list[bytes]) -> None:
    assert (after(one).digest == after(other).digest) is (one == other)


def test_the_bytes_are_forgotten_with_each_entry() -> None:
    moved = Position(1, 1, b"d", b"", 100, b"p").after(b"f")
    assert (moved.length, moved.prefix) == (0, b"")


@given(few, few)
def test_the_longest_stretch_at_its_earliest_place_is_found(before: list[bytes], now: list[bytes]) -> None:
    reset, start = realigned(after(before), now)
    assert (reset.recognized, reset.resumes_at) == best_places(tuple(before[-REMEMBERED:]), now)
    assert (reset.read, start.read) == (len(before), reset.resumes_at)


@given(few, few)
def test_a_reset_leaves_the_position_of_one_who_read_the_new_log(before: list[bytes], now: list[bytes]) -> None:
    reset, start = realigned(after(before), now)
    fresh = after(now[: reset.resumes_at])
    assert (start.digest, start.tail) == (fresh.digest, fresh.tail)


@given(few, few)
def test_the_index_counts_on_over_a_reset(before: list[bytes], now: list[bytes]) -> None:
    _, start = realigned(after(before), now)
    assert start.index == len(before)
