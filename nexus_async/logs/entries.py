"""The entries of a log's body, each with the fingerprint of what it means."""

from __future__ import annotations

import json
import re
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
    read with the standard library; where that refuses too, and the body does not begin as Nexus begins it, it is
    no log.
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


def unread_entries(array: bytes) -> tuple[list[Entry], int] | None:
    """Return the entries of an array's text and where it ends, also where some of them cannot be decoded.

    Such a one is kept as its text: nested too deep, or no JSON at all. None where brackets and quotes do not
    match up to the array's end, so that what breaks off is no entry.
    """
    items, start, open_brackets = [], 1, bytearray()
    for token in _TOKEN.finditer(array, 1):
        mark = array[token.start()]
        if mark in _CLOSING:
            open_brackets.append(_CLOSING[mark])
        elif not open_brackets and mark in b",]":
            items.append(array[start : token.start()].strip())
            start = token.end()
            if mark == ord("]"):
                return [_any_entry(item) for item in items if item or len(items) > 1], token.start()
        elif (mark in b"]}" and (not open_brackets or open_brackets.pop() != mark)) or token[0] == b'"':
            return None
    return None


def _any_entry(text: bytes) -> Entry:
    try:
        return entry_of(msgspec.Raw(text))
    except UNREADABLE:
        pass
    try:
        return odd_entry(loads(text))
    except UNREADABLE:
        return Entry(text.decode("utf-8", "replace"), xxhash.xxh3_64_digest(text))


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|["\[\]{},]', re.DOTALL)
_CLOSING: Final = {ord("["): ord("]"), ord("{"): ord("}")}


def _is_odd(value: Any) -> bool:
    """Tell whether msgspec cannot write the value as it is: it writes NaN as null, and no lone surrogate."""
    try:
        return bool(msgspec.json.decode(msgspec.json.encode(value)) != value)
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError):
        return True
