"""Following runs."""

from nexus_async.streaming.completion import Completions
from nexus_async.streaming.feed import Feed, FeedStats, RunStats, Terms, Watchable
from nexus_async.streaming.follower import LogResetWarning
from nexus_async.streaming.hub import Hub, HubStats, Subscription
from nexus_async.streaming.room import Room
from nexus_async.streaming.shared import Shared
from nexus_async.streaming.source import Source
from nexus_async.streaming.stores import MemoryStore, SQLiteStore, Store
from nexus_async.streaming.stream import LogStream
from nexus_async.streaming.window import Window

__all__ = [
    "Completions",
    "Feed",
    "FeedStats",
    "Hub",
    "HubStats",
    "LogResetWarning",
    "LogStream",
    "MemoryStore",
    "Room",
    "RunStats",
    "SQLiteStore",
    "Shared",
    "Source",
    "Store",
    "Subscription",
    "Terms",
    "Watchable",
    "Window",
]
