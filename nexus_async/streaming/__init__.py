"""Following runs."""

from nexus_async.streaming.completion import Completions
from nexus_async.streaming.follower import LogResetWarning
from nexus_async.streaming.shared import Shared
from nexus_async.streaming.source import Source
from nexus_async.streaming.stream import LogStream
from nexus_async.streaming.window import Window

__all__ = ["Completions", "LogResetWarning", "LogStream", "Shared", "Source", "Window"]
