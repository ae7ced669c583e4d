"""Following many runs in one feed."""

from nexus_async.streaming.feed.engine import Watchable
from nexus_async.streaming.feed.feed import Feed
from nexus_async.streaming.feed.stats import FeedStats, RunStats
from nexus_async.streaming.feed.terms import Terms

__all__ = ["Feed", "FeedStats", "RunStats", "Terms", "Watchable"]
