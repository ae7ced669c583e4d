"""A trainer that plays what was recorded of real runs."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.trainers.clock import LoopClock
from nexus_async.local.trainers.recording import Entry, Recording, read_recordings
from nexus_async.local.trainers.trainer import TrainingFailed

if TYPE_CHECKING:
    from os import PathLike

    from nexus_async.local.run import LocalRun

_TAKEN = frozenset({"step", "time", "message"})
"""What a checkpoint's own arguments are called: a metric may be called so too."""


class ReplayTrainer:
    """Play recorded runs: entry by entry, with the pauses that lay between them, to the end that they came to.

    `file` is JSON lines of events, as `nexus-async runs record` and `nexus-async watch -o jsonl` write them. Each
    run that is started plays the next of the recorded ones, and after the last the first again. `speed` is how
    many seconds of the recording pass in one of the loop's. Entries are stamped with the time at which they are
    played. A run whose recording has no end goes on without another entry, as it did when it was recorded.

    Raises `InvalidArgumentError` for a speed that is not above 0, or a file that is no recording; `OSError` for
    one that cannot be read.
    """

    def __init__(self, file: str | PathLike[str], *, speed: float = 1.0) -> None:
        self.speed = speed
        """Seconds of the recording in one second of the loop's time."""
        self.clock = LoopClock(speed)
        """What the recorded time passes by."""
        self.recordings = read_recordings(Path(file))
        """What is played, run by run."""
        if not self.recordings:
            raise InvalidArgumentError(f"{file} tells of no run: nexus-async runs record makes a recording")
        self._turns = cycle(self.recordings)

    async def train(self, run: LocalRun) -> None:
        """Play the next recording."""
        recording = next(self._turns)
        for entry in recording.entries:
            await self.clock.sleep(entry.pause)
            _write(run, entry)
        await self.clock.sleep(recording.last_pause)
        await _end(run, recording)


def _write(run: LocalRun, entry: Entry) -> None:
    run.begin()
    if entry.step is None:
        run.log(entry.ev, entry.payload)
    elif entry.step < 0 or entry.metrics.keys() & _TAKEN:
        run.log("trainingCheckpoint", {"step": entry.step, "log": entry.message, **entry.metrics})
    else:
        run.checkpoint(entry.step, time=None, message=entry.message, **entry.metrics)


async def _end(run: LocalRun, recording: Recording) -> None:
    match recording.outcome:
        case "Finished":
            run.finish(recording.end_message)
        case "Cancelled":
            run.cancel(recording.end_message)
        case "Errored":
            raise TrainingFailed(recording.end_message)
        case _:
            await run.wait_over()
