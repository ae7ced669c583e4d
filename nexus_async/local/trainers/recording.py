"""Recorded runs: events as JSON lines, read back as entries and the pauses between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from nexus_async.local.entries import ABSENT, Metric
from nexus_async.local.errors import InvalidArgumentError

if TYPE_CHECKING:
    from pathlib import Path

_VERSION = 1


class Entry(msgspec.Struct, frozen=True):
    """Hold one entry of a log."""

    pause: float
    """Seconds that passed before it."""
    step: int | None
    """The step of a checkpoint; None for any other entry."""
    metrics: dict[str, Metric]
    message: str | None
    ev: str
    payload: Any


class Recording(msgspec.Struct):
    """Hold one run."""

    entries: list[Entry]
    outcome: str | None = None
    """How it ended; None where that was not recorded."""
    end_message: str = ""
    last_pause: float = 0.0
    """Seconds between its last entry and its end."""


class _Status(msgspec.Struct, rename="camel"):
    message: str = ""
    update_date: float = 0.0


class _Run(msgspec.Struct, rename="camel"):
    status: _Status
    create_date: float = 0.0


class _Line(msgspec.Struct, rename="camel"):
    """What is read of an event; what else it holds is of no use here."""

    v: int
    type: str
    run_id: str | None = None
    time: float | None = None
    step: int = 0
    metrics: dict[str, Metric] = {}
    message: str | None = None
    ev: str | None = None
    payload: Any = ABSENT
    run: _Run | None = None
    outcome: str | None = None


class _Reader:
    """Make the recording of one run."""

    def __init__(self) -> None:
        self.recording = Recording([])
        self._now: float | None = None

    def take(self, line: _Line) -> None:
        match line.type:
            case "RunAdded" if line.run is not None:
                self._pass_until(line.run.create_date / 1000)
            case "Checkpoint" | "LogEntry":
                self._add(line)
            case "RunEnded" if line.run is not None:
                self.recording.last_pause = self._pass_until(line.run.status.update_date / 1000)
                self.recording.outcome, self.recording.end_message = line.outcome, line.run.status.message

    def _add(self, line: _Line) -> None:
        is_checkpoint = line.type == "Checkpoint"
        pause = self._pass_until(line.time)
        ev = line.ev or "entry"
        self.recording.entries.append(
            Entry(pause, line.step if is_checkpoint else None, line.metrics, line.message, ev, line.payload)
        )

    def _pass_until(self, time: float | None) -> float:
        """Return the seconds that pass until `time`: none where it is unknown, or where times go back."""
        if time is None:
            return 0.0
        pause = 0.0 if self._now is None else max(0.0, time - self._now)
        self._now = time if self._now is None else max(self._now, time)
        return pause


def read_recordings(file: Path) -> list[Recording]:
    """Return the runs of a file, in the order of their first events.

    Raises `InvalidArgumentError` for a line that is no event, and `OSError`.
    """
    readers: dict[str, _Reader] = {}
    with file.open("rb") as lines:
        for number, text in enumerate(lines, start=1):
            line = _read_line(file, number, text)
            if line.run_id is not None:
                readers.setdefault(line.run_id, _Reader()).take(line)
    return [reader.recording for reader in readers.values()]


def _read_line(file: Path, number: int, text: bytes) -> _Line:
    try:
        line = msgspec.json.decode(text, type=_Line)
    except msgspec.DecodeError as refusal:
        raise InvalidArgumentError(
            f"line {number} of {file} is no event: {refusal}; nexus-async runs record makes a recording"
        ) from None
    if line.v != _VERSION:
        raise InvalidArgumentError(f"line {number} of {file} is of version {line.v}, and {_VERSION} is read here")
    return line
