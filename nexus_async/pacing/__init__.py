"""WHEN to ask again, without I/O."""

from nexus_async.pacing.clock import ServerClock
from nexus_async.pacing.fleet import Fleet
from nexus_async.pacing.policy import Adaptive, FixedInterval, Pacing, RunPacing, check_pacing

__all__ = ["Adaptive", "FixedInterval", "Fleet", "Pacing", "RunPacing", "ServerClock", "check_pacing"]
