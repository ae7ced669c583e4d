"""When the logs of an ended run are whole, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.config import LONG_OVER

if TYPE_CHECKING:
    from nexus_async.pacing import ServerClock


class Drain:
    """Watch the snapshots of an ended run until two that are `settle` seconds apart are equal.

    Lines may be written after the status says that a run is over. A run over for more than a minute needs
    no second snapshot; one that is still growing `drain_timeout` seconds after the first is given up.
    """

    def __init__(self, *, settle: float, drain_timeout: float) -> None:
        self._settle = settle
        self._drain_timeout = drain_timeout
        self._since: float | None = None
        self._snapshot: object = None
        self._snapshot_at = 0.0
        self.drained: bool | None = None
        """Whether the logs are whole; None while that is open."""

    def note(self, snapshot: object, *, now: float, over_for: float) -> None:
        """Take a snapshot of all logs read at `now` (seconds, any clock) of a run over for `over_for` seconds."""
        if self._since is None:
            self._since = now
        if snapshot != self._snapshot:
            self._snapshot, self._snapshot_at = snapshot, now
        quiet_for = now - self._snapshot_at
        if quiet_for >= self._settle or over_for > LONG_OVER:
            self.drained = True
        elif now - self._since >= self._drain_timeout:
            self.drained = False

    @property
    def next_poll(self) -> float:
        """Return when the next snapshot is worth taking: in time for either verdict."""
        assert self._since is not None
        return min(self._snapshot_at + self._settle, self._since + self._drain_timeout)


def over_for(began: int, now: float, server_clock: ServerClock) -> float:
    """Return the seconds since `began`, milliseconds by the server's clock as far as that is known.

    A run whose answer does not tell when it ended has a 0 there: it counts as having ended just now.
    """
    if not began:
        return 0.0
    return now - server_clock.shift - began / 1000
