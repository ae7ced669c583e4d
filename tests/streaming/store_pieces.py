"""Events to keep, and what is asked of threads and of the file itself."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nexus_async import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def checkpoint(index: int, run_id: str = "run_1") -> Checkpoint:
    return Checkpoint(
        project_id="proj_1",
        run_id=run_id,
        id=f"log_of_{run_id}:{index}:f00d",
        cursor=f"nxc1.{index}",
        log_id=f"log_of_{run_id}",
        index=index,
        time=1.5,
        step=index,
        metrics={"totalLoss": 0.25},
    )


def store_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("nexus-store")]


def join_store_threads() -> None:
    for thread in store_threads():
        thread.join()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the file as a process does that is in the middle of a transaction."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        db.execute("ROLLBACK")
        db.close()


def rows_of(path: Path, statement: str) -> list[Any]:
    db = sqlite3.connect(path, isolation_level=None)
    try:
        return db.execute(statement).fetchall()
    finally:
        db.close()


def execute(path: Path, statement: str) -> None:
    rows_of(path, statement)


def files_beside(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir())


def move_away(path: Path) -> None:
    path.rename(path.with_name("old.db"))


def damage(path: Path) -> None:
    """Overwrite all but the first page."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
