"""What a trainer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nexus_async.local.run import LocalRun


class Trainer(Protocol):
    """Train runs, each in a task of its own.

    A run is `Finished` when `train` returns, and `Errored` when it raises. The task is cancelled when the run
    ends otherwise: by a kill, a limit or a script.
    """

    @property
    def speed(self) -> float:
        """Seconds of training in one second of the loop's time."""

    async def train(self, run: LocalRun) -> None:
        """Write checkpoints and evaluations of `run` until its training is complete.

        Raises `TrainingFailed` with the message of a run that is to be `Errored`.
        """


class TrainingFailed(Exception):  # noqa: N818 - the words of a training, not of this program
    """End a run as `Errored`, with this message."""
