"""How an entry of a log becomes an event: no entry is refused, and nothing of it is lost."""

from __future__ import annotations

import math
from typing import Any, Final

from nexus_async.events.kinds import Checkpoint, LogEntry

CHECKPOINT: Final = "trainingCheckpoint"
"""The `ev` of an entry that tells of a checkpoint."""


def event_of(
    value: Any,
    *,
    project_id: str,
    run_id: str,
    log_id: str,
    index: int,
    fingerprint: str,
    cursor: str,
    label: str | None = None,
) -> Checkpoint | LogEntry:
    """Turn an entry of a log into a `Checkpoint`, or into a `LogEntry` where it is none.

    A checkpoint says so in its `ev` and has a whole number as its `step`. No entry is refused.
    """
    entry = value if isinstance(value, dict) else {}
    event_id = f"{log_id}:{index}:{fingerprint}"
    read = read_checkpoint(value)
    if read is not None:
        step, time, metrics = read
        return Checkpoint(
            project_id=project_id,
            run_id=run_id,
            id=event_id,
            cursor=cursor,
            label=label,
            log_id=log_id,
            index=index,
            time=time,
            step=step,
            metrics=metrics,
            message=_text(entry["pl"].get("log")),
        )
    return LogEntry(
        project_id=project_id,
        run_id=run_id,
        id=event_id,
        cursor=cursor,
        label=label,
        log_id=log_id,
        index=index,
        time=_seconds(entry.get("t")),
        ev=_text(entry.get("ev")),
        payload=entry.get("pl") if isinstance(value, dict) else value,
    )


def read_checkpoint(value: Any) -> tuple[int, float | None, dict[str, float]] | None:
    """Return the step, the time in seconds and the metrics of an entry that is a checkpoint; else None."""
    if not isinstance(value, dict) or value.get("ev") != CHECKPOINT:
        return None
    payload = value.get("pl")
    if not isinstance(payload, dict):
        return None
    step = _step(payload.get("step"))
    return None if step is None else (step, _seconds(value.get("t")), metrics_of(payload))


def metrics_of(payload: dict[str, Any]) -> dict[str, float]:
    """Read the metrics of a checkpoint: all that is a number, written as one or as text (`"NaN"`)."""
    numbers = ((name, _number(value)) for name, value in payload.items() if name not in {"step", "log"})
    return {name: number for name, number in numbers if number is not None}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None
    except OverflowError:  # an int beyond what a float holds
        return math.inf if value > 0 else -math.inf  # type: ignore[operator]  # only an int overflows


def _step(value: Any) -> int | None:
    number = None if isinstance(value, str) else _number(value)
    return int(value) if number is not None and number.is_integer() else None


def _seconds(milliseconds: Any) -> float | None:
    number = None if isinstance(milliseconds, str) else _number(milliseconds)
    return number / 1000 if number is not None and math.isfinite(number) else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
