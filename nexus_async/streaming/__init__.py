"""Following runs."""

from nexus_async.streaming.follower import LogResetWarning
from nexus_async.streaming.shared import Shared
from nexus_async.streaming.source import Source
from nexus_async.streaming.stream import LogStream

__all__ = ["LogResetWarning", "LogStream", "Shared", "Source"]
