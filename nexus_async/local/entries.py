"""Entries of a log, as the wire has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

Metric = float | str | None
"""A number, text in its place (`"NaN"`), or None for `null`."""

ABSENT = msgspec.UNSET
"""Stand for a payload that is not there at all, where None would be `null`."""

_encode = msgspec.json.Encoder().encode


class _Entry(msgspec.Struct):
    ev: str
    t: int
    pl: object = ABSENT


def encode_entry(ev: str, time: int, payload: object = ABSENT) -> bytes:
    """Encode any entry: its kind `ev`, its `time` in milliseconds since the Unix epoch, its payload."""
    return _encode(_Entry(ev, time, payload))


def encode_checkpoint(step: int, time: int, message: str | None, metrics: Mapping[str, Metric]) -> bytes:
    """Encode a checkpoint; `message` None writes the text that Nexus does, from the metrics."""
    written = {name: _writable(value) for name, value in metrics.items()}
    text = _describe(step, written) if message is None else message
    return encode_entry("trainingCheckpoint", time, {"step": step, "log": text, **written})


def _writable(value: Metric) -> Metric:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def _describe(step: int, metrics: Mapping[str, Metric]) -> str:
    parts = [f"Step {step}", *(f"{name}: {_shown(value)}" for name, value in metrics.items())]
    return ", ".join(parts) + "."


def _shown(value: Metric) -> str:
    if value is None:
        return "null"
    return value if isinstance(value, str) else f"{value:.4E}"
