"""A store among real processes: what kill -9 leaves, and who may write when."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from store_worker import RUNS

from nexus_async import Checkpoint, SQLiteStore

if TYPE_CHECKING:
    from collections.abc import Iterator

WORKER = Path(__file__).with_name("store_worker.py")

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")


class Worker:
    """A process of `store_worker.py`."""

    def __init__(self, path: Path, command: str, lease: float) -> None:
        words = [sys.executable, "-W", "error", str(WORKER), str(path), str(lease), command]
        self.popen = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.says() == "asks"

    def says(self) -> str:
        assert self.popen.stdout
        return self.popen.stdout.readline().strip()

    def save(self) -> str:
        assert self.popen.stdin
        self.popen.stdin.write("save\n")
        self.popen.stdin.flush()
        return self.says()

    def kill(self) -> list[str]:
        """Kill it in the middle of whatever it does, and return what it said since."""
        self.popen.kill()
        assert self.popen.stdout
        return self.popen.stdout.read().split()


@contextmanager
def worker(path: Path, command: str, lease: float = 0.2) -> Iterator[Worker]:
    made = Worker(path, command, lease)
    with made.popen:
        try:
            yield made
        finally:
            made.popen.kill()


def kept_in(path: Path) -> int:
    """Return how many saves are kept; whatever is kept is whole, the events as well as the cursors."""
    cursors = asyncio.run(SQLiteStore(path).load())
    events = [event for _, event in asyncio.run(SQLiteStore(path).read_events(limit=1_000_000))]
    numbers = [event.index for event in events if isinstance(event, Checkpoint) and event.run_id == RUNS[0]]
    count = len(numbers)
    assert numbers == list(range(1, count + 1))
    assert cursors == (dict.fromkeys(RUNS, f"nxc1.{count}") if count else {})
    assert [event.id for event in events] == [f"log_of_{run}:{n}:f00d" for n in numbers for run in RUNS]
    return count


def test_a_writer_that_is_killed_again_and_again_loses_nothing_and_leaves_nothing_half(tmp_path: Path) -> None:
    random = Random(7)
    kept = 0
    for _ in range(20):
        with worker(tmp_path / "runs.db", "write") as writer:
            assert writer.says() == "open"
            time.sleep(random.uniform(0, 0.06))
            told = [int(number) for number in writer.kill()]
        returned_for = told[-1] if told else kept
        kept = kept_in(tmp_path / "runs.db")
        assert kept in {returned_for, returned_for + 1}
    assert kept > 20


def test_a_writer_that_is_killed_while_it_makes_the_file_leaves_one_that_opens(tmp_path: Path) -> None:
    random = Random(11)
    for i in range(6):
        path = tmp_path / f"runs_{i}.db"
        with worker(path, "write") as writer:
            deadline = time.monotonic() + 60
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.0005)
            time.sleep(random.uniform(0, 0.01))
            writer.kill()
        with worker(path, "obey") as second:
            assert second.says() == "open"
            assert second.save() == "saved"
        assert kept_in(path) >= 1


def test_a_second_process_waits_and_takes_over_from_one_that_was_killed(tmp_path: Path) -> None:
    with worker(tmp_path / "runs.db", "write", lease=3) as first:
        assert first.says() == "open"
        with worker(tmp_path / "runs.db", "obey", lease=3) as second:
            for _ in range(100):
                assert first.says().isdigit()
            last = first.kill()[-1:]
            kept = kept_in(tmp_path / "runs.db")
            assert second.says() == "open"
            assert kept_in(tmp_path / "runs.db") == kept
            assert kept >= int(last[0] if last else 100)
            assert second.save() == "saved"
        assert kept_in(tmp_path / "runs.db") == kept + 1


def test_a_process_that_was_stopped_for_too_long_and_replaced_writes_no_more(tmp_path: Path) -> None:
    with worker(tmp_path / "runs.db", "obey") as first:
        assert first.says() == "open"
        assert first.save() == "saved"
        first.popen.send_signal(signal.SIGSTOP)
        with worker(tmp_path / "runs.db", "obey", lease=60) as second:
            assert second.says() == "open"
            assert second.save() == "saved"
            first.popen.send_signal(signal.SIGCONT)
            assert first.save() == "lost"
            assert first.save() == "lost"
            assert kept_in(tmp_path / "runs.db") == 2
            assert second.save() == "saved"
    assert kept_in(tmp_path / "runs.db") == 3


def test_a_process_that_was_stopped_and_not_replaced_goes_on(tmp_path: Path) -> None:
    with worker(tmp_path / "runs.db", "obey", lease=0.05) as first:
        assert first.says() == "open"
        first.popen.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        first.popen.send_signal(signal.SIGCONT)
        assert first.save() == "saved"
    assert kept_in(tmp_path / "runs.db") == 1
