"""What all that is followed by one client has in common."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import backoff

from nexus_async.pacing import ServerClock
from nexus_async.streaming.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Shared:
    """Hold the clocks of a client, its own and what is known of the server's, and its jitter."""

    clock: Callable[[], float] = time.time
    """Gives the seconds since the Unix epoch, as this machine sees them."""
    server_clock: ServerClock = field(default_factory=ServerClock)
    """Learns from every poll of the client how the server's time lies to `clock`."""
    room: Room = field(default_factory=Room)
    """Bounds what is read and not handed out yet."""
    jitter: Callable[[float], float] = backoff.full_jitter
    """Turns a pause in seconds into the one that is made."""
    started: deque[str] = field(default_factory=lambda: deque(maxlen=1_000))
    """The runs that were started last, and whose start was answered."""
