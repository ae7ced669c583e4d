"""Decoding a stretch of a log's body in slices, so that no backlog holds up the loop for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from nexus_async.logs.entries import UNREADABLE, Entry, entry_of, loads, odd_entry, unread_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

SLICE: Final = 64 * 1024
"""Bytes decoded at a time: a third of a millisecond."""

UNKNOWN: Final = -1
OPENING: Final = b'{"logs":['
_ENTRY_ENDS: Final = b"},"


class _Entries(msgspec.Struct, gc=False):
    logs: list[msgspec.Raw]


_split_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_split_body = msgspec.json.Decoder(_Entries).decode


def entries_from(text: bytes, start: int = 0) -> Iterator[tuple[list[Entry], int]]:
    """Yield the entries of `text`, slice by slice, each with the offset in `text` at which its last ends.

    That of the last slice is `UNKNOWN` where it cannot be told. `text` is a body; `start` is where an entry of
    it begins, or its array ends. Raises `msgspec.DecodeError` where what follows is no array's rest.
    """
    while len(text) - start > SLICE:
        entries, end = _slice(text, start)
        if end == len(text):
            break
        yield entries, end
        start = _after_comma(text, end)
    yield _last_entries(text, start)


def _slice(text: bytes, start: int) -> tuple[list[Entry], int]:
    """Decode about `SLICE` bytes, cut at an entry's end; where a cut fails, it was within one: try later."""
    reach = SLICE
    while (comma := text.find(_ENTRY_ENDS, start + reach)) >= 0:
        end = comma + 1
        entries = _decoded(b"[" + text[start:end] + b"]")
        if entries is not None:
            return entries, end
        reach = 2 * (end - start)
    return [], len(text)


def _decoded(array: bytes) -> list[Entry] | None:
    try:
        return [entry_of(raw) for raw in _split_array(array)]
    except UNREADABLE:
        pass
    try:
        return [odd_entry(value) for value in loads(array)]
    except UNREADABLE:
        read = unread_entries(array)
        return read[0] if read is not None and read[1] == len(array) - 1 else None


def _last_entries(text: bytes, start: int) -> tuple[list[Entry], int]:
    """Decode the rest, to the end of the body, whatever stands there behind the array."""
    rest = text[start:]
    try:
        raws = _split_body(OPENING + rest).logs
        entries = [entry_of(raw) for raw in raws]
    except UNREADABLE as refusal:
        entries, end = _odd_rest(rest, refusal)
    else:
        end = _end_of(raws, rest)
    return entries, start + end if _is_end_of_array(rest[end:]) else UNKNOWN


def _end_of(raws: list[msgspec.Raw], rest: bytes) -> int:
    """Return where the last of an array's items ends in its text, which goes on behind the array."""
    if not raws:
        return 0
    last = bytes(raws[-1])
    end = rest.rfind(last) + len(last)
    if rest.count(last) > 1:  # it may stand in what comes behind the array as well
        while end > 0 and not _holds(raws, rest[:end]):
            end = rest.rfind(last, 0, end - 1) + len(last)
    return end


def _holds(raws: list[msgspec.Raw], text: bytes) -> bool:
    try:
        return len(_split_array(b"[" + text + b"]")) == len(raws)
    except UNREADABLE:
        return False


def _odd_rest(rest: bytes, refusal: Exception) -> tuple[list[Entry], int]:
    """Return the entries that msgspec refuses, and where their array ends."""
    try:
        values: Any = loads(OPENING + rest)["logs"]
        return [odd_entry(value) for value in values], rest.rfind(b"]")
    except (*UNREADABLE, LookupError):
        read = unread_entries(b"[" + rest)
    if read is None or not _is_end_of_array(rest[read[1] - 1 :]):
        raise msgspec.DecodeError(str(refusal)) from None
    return read[0], read[1] - 1


def _is_end_of_array(tail: bytes) -> bool:
    """Tell whether an array ends here, and not within a text behind it that looks like an entry."""
    try:
        return not _split_body(OPENING + tail).logs
    except UNREADABLE:
        return False


def _after_comma(text: bytes, end: int) -> int:
    return text.index(b",", end) + 1
