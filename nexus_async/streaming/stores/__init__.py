"""Where a feed keeps how far each run was handled."""

from nexus_async.streaming.stores.sqlite_store import SQLiteStore
from nexus_async.streaming.stores.store import MemoryStore, Store

__all__ = ["MemoryStore", "SQLiteStore", "Store"]
