"""Events as JSON: one shape wherever they leave the process.

An object with the version `v`, the kind `type`, and the event's fields in camel case. A number that is not finite
is the text `"NaN"`, `"Infinity"` or `"-Infinity"`, and is read back as a number where a metric is one. What a
payload nests deeper than `DEEPEST` levels is JSON as text within it: all that was read can be written and read.
"""

from __future__ import annotations

import json
import math
from typing import Any, Final

import msgspec

from nexus_async.errors import InvalidEventError
from nexus_async.events.kinds import (
    CaughtUp,
    Checkpoint,
    Disconnected,
    Event,
    FollowFailed,
    Lagged,
    LogEntry,
    LogReset,
    ProjectUnavailable,
    Reconnected,
    RunAdded,
    RunEnded,
    RunRemoved,
    StatusChanged,
)

VERSION: Final = 1
DEEPEST: Final = 100
"""Levels of a payload: readers have limits, and no training means to come near them."""

AnyEvent = (
    CaughtUp
    | Checkpoint
    | Disconnected
    | FollowFailed
    | Lagged
    | LogEntry
    | LogReset
    | ProjectUnavailable
    | Reconnected
    | RunAdded
    | RunEnded
    | RunRemoved
    | StatusChanged
)


def encode_event(event: Event) -> bytes:
    """Return an event as JSON, in UTF-8 and on one line."""
    if isinstance(event, LogEntry):
        bare = msgspec.to_builtins(msgspec.structs.replace(event, payload=None))
        bare["payload"] = event.payload
    else:
        bare = msgspec.to_builtins(event)
    return _encoded({"v": VERSION, **{name: _written(value, DEEPEST) for name, value in bare.items()}})


def encode_plain(value: Any) -> bytes:
    """Return models, or what is made of them, as JSON in UTF-8 and on one line, with numbers as in events."""
    return _encoded(_written(msgspec.to_builtins(value), DEEPEST))


def decode_event(text: bytes | str) -> Event:
    """Read an event back. Raises `InvalidEventError` for anything else, and for one of a newer version."""
    try:
        shape = json.loads(text)
    except (ValueError, RecursionError) as refusal:
        raise InvalidEventError(f"no event: {refusal}") from None
    version = shape.get("v") if isinstance(shape, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise InvalidEventError(f"no event: {str(text)[:80]!r} has no version `v`")
    if version > VERSION:
        raise InvalidEventError(
            f"the event is of version {str(version)[:9]}, this release reads up to {VERSION}: upgrade nexus-async"
        )
    try:
        event: Event = msgspec.convert(shape, AnyEvent, strict=False)
    except (msgspec.ValidationError, UnicodeError) as refusal:
        raise InvalidEventError(f"no event that this release knows: {refusal}") from None
    return event


def _encoded(shape: Any) -> bytes:
    try:
        return msgspec.json.encode(shape)
    except (msgspec.MsgspecError, UnicodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        return json.dumps(shape, separators=(",", ":")).encode()


def _written(value: Any, levels: int) -> Any:
    """Write numbers that are not finite as texts: JSON has none, and msgspec would write null."""
    match value:
        case float() if not math.isfinite(value):
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"  # noqa: PLR0124 - NaN
        case dict() | list() | tuple() if not levels:
            return _as_text(value)
        case dict():
            return {key: _written(item, levels - 1) for key, item in value.items()}
        case list() | tuple():
            return [_written(item, levels - 1) for item in value]
        case _:
            return value


def _as_text(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"))
    except RecursionError:
        return "nested too deeply to be written"
