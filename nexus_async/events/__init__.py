"""What is told of runs, how an entry of a log becomes it, and how it is written as JSON."""

from nexus_async.events.coding import decode_event, encode_event, encode_plain
from nexus_async.events.entries import event_of, metrics_of, read_checkpoint
from nexus_async.events.kinds import (
    CaughtUp,
    Checkpoint,
    Disconnected,
    Event,
    FollowFailed,
    Lagged,
    LogEntry,
    LogReset,
    ProjectUnavailable,
    Reconnected,
    RunAdded,
    RunEnded,
    RunEvent,
    RunRemoved,
    StatusChanged,
)

__all__ = [
    "CaughtUp",
    "Checkpoint",
    "Disconnected",
    "Event",
    "FollowFailed",
    "Lagged",
    "LogEntry",
    "LogReset",
    "ProjectUnavailable",
    "Reconnected",
    "RunAdded",
    "RunEnded",
    "RunEvent",
    "RunRemoved",
    "StatusChanged",
    "decode_event",
    "encode_event",
    "encode_plain",
    "event_of",
    "metrics_of",
    "read_checkpoint",
]
