"""The entries of a log's body, each with the fingerprint of what it means."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec
import xxhash

UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What msgspec and the standard library raise for what they do not take."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """Hold one entry of a log."""

    value: Any
    """The entry, decoded."""
    fingerprint: bytes
    """8 bytes that stand for what it means: key order and white space do not matter."""


class _Body(msgspec.Struct, gc=False):
    logs: list[msgspec.Raw]


_split = msgspec.json.Decoder(_Body).decode


def decode_entries(body: bytes) -> list[Entry]:
    """Return the entries of a log's body, oldest first; raise `msgspec.DecodeError` where it is none.

    Trainings write what JSON does not allow (a bare `NaN`, a lone surrogate). Entries that msgspec refuses are
    read with the standard library, and only where that refuses too, the body is no log.
    """
    try:
        return [entry_of(raw) for raw in _split(body).logs]
    except UNREADABLE as refusal:
        try:
            logs = loads(body)["logs"]
        except (*UNREADABLE, LookupError, TypeError):
            raise msgspec.DecodeError(str(refusal)) from None
        if not isinstance(logs, list):
            raise msgspec.DecodeError(str(refusal)) from None
        return [odd_entry(value) for value in logs]


def loads(text: bytes) -> Any:
    """Decode what msgspec refuses: bare `NaN`, lone surrogates, bytes that are no UTF-8, endless numbers,
    control characters within a text.
    """
    return json.loads(text.decode("utf-8", "replace"), parse_int=_whole_number, strict=False)


def _whole_number(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # more digits than Python takes; see sys.set_int_max_str_digits
        return digits


def entry_of(raw: msgspec.Raw) -> Entry:
    """Decode an entry; raise `msgspec.DecodeError` where msgspec refuses it."""
    value = msgspec.json.decode(raw)
    return Entry(value, xxhash.xxh3_64_digest(msgspec.json.encode(value, order="sorted")))


def odd_entry(value: Any) -> Entry:
    """Fingerprint as msgspec would where it can, so that one odd entry does not rename all the others."""
    if _is_odd(value):
        text = json.dumps(value, sort_keys=True, separators=(",", ":"))
        return Entry(value, xxhash.xxh3_64_digest(text.encode()))
    return Entry(value, xxhash.xxh3_64_digest(msgspec.json.encode(value, order="sorted")))


def _is_odd(value: Any) -> bool:
    """Tell whether msgspec cannot write the value as it is: it writes NaN as null, and no lone surrogate."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) != value)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return True
