"""The log of a run, as `runs.get_logs` answers: the whole of it, every time."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from nexus_async.models.base import Model


class RunLogs(Model, frozen=True, kw_only=True):
    """Hold one log of a run."""

    id: str
    """The log's ID, such as `runlog_UmUyYTE0Y2Vl...`."""
    logs: list[dict[str, Any]]
    """Its entries as they came: `{"ev": ..., "t": milliseconds since the Unix epoch, "pl": {...}}`."""


_decode = msgspec.json.Decoder(RunLogs).decode


def decode_run_logs(body: bytes) -> RunLogs:
    """Decode a log; raise `msgspec.DecodeError` for what is none.

    Trainings write what JSON does not allow, a bare `NaN` among it. The standard library takes it, so a
    log that msgspec refuses is read a second time with that.
    """
    try:
        return _decode(body)
    except (msgspec.DecodeError, ValueError) as refusal:
        try:
            return msgspec.convert(json.loads(body), RunLogs)
        except (ValueError, RecursionError):
            raise msgspec.DecodeError(str(refusal)) from None
