"""WHAT is new in a growing log, without I/O."""

from nexus_async.logs.cursor import Beginning, Cursor
from nexus_async.logs.entries import Entry
from nexus_async.logs.position import Position, Reset, Step
from nexus_async.logs.reader import LogReader, News, Reading

__all__ = ["Beginning", "Cursor", "Entry", "LogReader", "News", "Position", "Reading", "Reset", "Step"]
