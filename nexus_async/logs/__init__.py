"""WHAT is new in a growing log, without I/O."""

from nexus_async.logs.cursor import Cursor
from nexus_async.logs.entries import Entry, decode_entries
from nexus_async.logs.position import Position, Reset, Step, read_on

__all__ = ["Cursor", "Entry", "Position", "Reset", "Step", "decode_entries", "read_on"]
