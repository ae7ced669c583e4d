"""The file of an `SQLiteStore`: its tables, its lease and its refusals. All of it belongs to one thread.

It has a write-ahead log with an fsync at each commit: what `save` returned for survives kill -9 and a power cut.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nexus_async.errors import StoreBusyError, StoreError, StoreLostError
from nexus_async.events import decode_event, encode_event
from nexus_async.events.kinds import RunEvent

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from nexus_async.events import Event

VERSION: Final = 1
APPLICATION: Final = 0x6E786173
"""Marks the database as a store (`PRAGMA application_id`): nobody else's tables are written to."""
BUSY_TIMEOUT: Final = 5.0
"""Seconds to wait for another's transaction: each takes milliseconds."""
IN_MEMORY: Final = ":memory:"

TABLES: Final = (
    "CREATE TABLE cursors (run_id TEXT PRIMARY KEY, token TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE events (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, run_id TEXT, event BLOB NOT NULL)",
    "CREATE INDEX events_of_run ON events (run_id)",
    "CREATE TABLE lease (owner TEXT, epoch INTEGER NOT NULL, expiry REAL NOT NULL, length REAL NOT NULL)",
    "INSERT INTO lease VALUES (NULL, 0, 0, 0)",
    f"PRAGMA application_id = {APPLICATION}",
    f"PRAGMA user_version = {VERSION}",
)
KEEP_CURSOR: Final = "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (run_id) DO UPDATE SET token = excluded.token"
KEEP_EVENT: Final = "INSERT INTO events (id, run_id, event) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING"
READ_EVENTS: Final = "SELECT seq, event FROM events WHERE seq > :after ORDER BY seq LIMIT :limit"
READ_RUN: Final = "SELECT seq, event FROM events WHERE run_id = :run AND seq > :after ORDER BY seq LIMIT :limit"

TAKE: Final = "UPDATE lease SET owner = ?, epoch = epoch + 1, expiry = ?, length = ?"
EXTEND: Final = "UPDATE lease SET expiry = ?, length = ? WHERE owner = ? AND epoch = ?"
LET_GO: Final = "UPDATE lease SET owner = NULL WHERE owner = ? AND epoch = ?"

REMEDIES: Final = {
    "NOTADB": "Give another path, or move the file away",
    "CORRUPT": "Put a copy of the file back, or move it away",
    "CANTOPEN": "Make its directory, and let this user write there",
    "READONLY": "Let this user write to the file and its directory",
    "PERM": "Let this user write to the file and its directory",
    "FULL": "Make room on its disk",
}


class SQLiteFile:
    """Read and write a store's file. It is connected to at first use; `clock` gives seconds."""

    def __init__(self, path: str, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock
        self._db: sqlite3.Connection | None = None
        self._file: tuple[int, int] | None = None
        self._held: tuple[str, int] | None = None

    def take(self, lease: float) -> float | None:
        """Become the writer for `lease` seconds at a time, or return how many seconds another still is it."""
        with self._refusals():
            db = self._connected()
            if (left := self._seconds_left(db)) > 0:
                return left
            with _transaction(db):
                if (left := self._seconds_left(db)) > 0:
                    return left
                owner = secrets.token_hex(8)
                db.execute(TAKE, (owner, self._clock() + lease, lease))
                epoch = db.execute("SELECT epoch FROM lease").fetchone()[0]
            self._held = owner, epoch
            return None

    def load(self) -> dict[str, str]:
        """Return the token of every run."""
        with self._refusals():
            return dict(self._connected(make=False).execute("SELECT run_id, token FROM cursors").fetchall())

    def save(self, cursors: Mapping[str, str], events: Sequence[Event], lease: float) -> bool:
        """Keep tokens and events, and the store for `lease` seconds more. Return False where it is not held.

        Raises `StoreLostError` where another took over, or the file is not where it was.
        """
        if self._held is None:
            return False
        rows = [
            (event.id, event.run_id if isinstance(event, RunEvent) else None, encode_event(event))
            for event in events
        ]
        with self._refusals():
            db = self._connected()
            if self._place() != self._file:
                raise StoreLostError(f"{self._path} was moved or deleted: what was saved before went with it")
            with _transaction(db):
                if not db.execute(EXTEND, (self._clock() + lease, lease, *self._held)).rowcount:
                    raise StoreLostError(
                        f"another process took {self._path} over, and goes on from the last save: end this one"
                    )
                db.executemany(KEEP_EVENT, rows)
                db.executemany(KEEP_CURSOR, cursors.items())
        return True

    def read_events(self, after: int, run_id: str | None, limit: int) -> list[tuple[int, Event]]:
        """Return events with their number, those above `after`, in order."""
        with self._refusals():
            db = self._connected(make=False)
            asked = {"after": after, "run": run_id, "limit": limit}
            rows = db.execute(READ_EVENTS if run_id is None else READ_RUN, asked).fetchall()
        return [(seq, decode_event(event)) for seq, event in rows]

    def close(self) -> None:
        """Let go of the store. One that cannot be written to is let go of when the lease runs out."""
        db, self._db = self._db, None
        if db is None:
            return
        with suppress(StoreError), self._refusals():
            if self._held is not None:
                with _transaction(db):
                    db.execute(LET_GO, self._held)
        self._held = None
        db.close()

    def _connected(self, *, make: bool = True) -> sqlite3.Connection:
        if self._db is None:
            import sqlite3  # noqa: PLC0415 - 11 ms

            if not make and self._path != IN_MEMORY and not Path(self._path).exists():
                raise StoreError(f"there is no store at {self._path}: a feed with store= makes one")
            db = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT, isolation_level=None)
            try:
                self._prepare(db)
            except BaseException:
                db.close()
                raise
            self._db, self._file = db, self._place()
        return self._db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables where there are none, and refuse what another release or another program made."""
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA fullfsync = ON")  # without it, macOS calls what is in the disk's cache written
        if _is_new(db):
            db.execute("PRAGMA journal_mode = WAL")
            with _transaction(db):
                for statement in TABLES if _is_new(db) else ():
                    db.execute(statement)
        if _pragma(db, "application_id") != APPLICATION:
            raise StoreError(f"{self._path} is no store, but another program's database: give another path")
        if (version := _pragma(db, "user_version")) != VERSION:
            raise StoreError(
                f"{self._path} is of version {version}, this release reads up to {VERSION}: upgrade nexus-async"
            )

    def _seconds_left(self, db: sqlite3.Connection) -> float:
        """Return for how long the lease lasts; one that ends later than it is long was cut short by a clock."""
        [(owner, expiry, length)] = db.execute("SELECT owner, expiry, length FROM lease").fetchall()
        left = expiry - self._clock()
        return 0.0 if owner is None or left > length else left

    def _place(self) -> tuple[int, int] | None:
        """Name the file that stands at the path; None where there is none."""
        try:
            found = Path(self._path).stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Turn the errors of sqlite3 into those of a store."""
        import sqlite3  # noqa: PLC0415 - 11 ms

        try:
            yield
        except (sqlite3.Error, UnicodeError) as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Exception) -> StoreError:
        kind = getattr(error, "sqlite_errorname", "SQLITE_ERROR").split("_")[1]
        if kind in {"BUSY", "LOCKED"}:
            return StoreBusyError(f"another process holds {self._path} locked: end it, or try again")
        remedy = f". {REMEDIES[kind]}" if kind in REMEDIES else ""
        return StoreError(f"{self._path} cannot be used: {error}{remedy}")


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _is_new(db: sqlite3.Connection) -> bool:
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return _pragma(db, "user_version") == 0 and tables == (0,)


def _pragma(db: sqlite3.Connection, name: str) -> int:
    [(value,)] = db.execute(f"PRAGMA {name}").fetchall()
    return int(value)
