"""What holds a policy against recorded runs asks for: a run's pacing by its price."""

from __future__ import annotations

from nexus_async.pacing.clock import ServerClock
from nexus_async.pacing.policy import Adaptive, RunPacing


def adaptive(price: float) -> RunPacing:
    """Return the adaptive pacing of one run, on a clock of its own; `price` is in seconds of delay a request."""
    return Adaptive(price).for_run(ServerClock())
