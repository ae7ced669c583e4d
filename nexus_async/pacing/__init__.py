"""WHEN to ask again, without I/O."""

from nexus_async.pacing.policy import FixedInterval, Pacing

__all__ = ["FixedInterval", "Pacing"]
