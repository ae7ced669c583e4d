"""A process that writes to a store: `python store_worker.py PATH LEASE write|obey`.

It says `asks` before it opens the store, and `open` when it is the writer. `write` saves one number after the
other, for several runs at once, and says each when `save` returned. `obey` saves for each line that it reads, and
says `saved` or `lost`.
"""

from __future__ import annotations

import asyncio
import sys

from store_pieces import checkpoint

from nexus_async import SQLiteStore, StoreLostError

RUNS = ("run_1", "run_2", "run_3")


def say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


async def save(store: SQLiteStore, number: int) -> None:
    events = [checkpoint(number, run_id) for run_id in RUNS]
    await store.save(dict.fromkeys(RUNS, f"nxc1.{number}"), events)


async def write(store: SQLiteStore, number: int) -> None:
    while True:
        number += 1
        await save(store, number)
        say(str(number))


async def obey(store: SQLiteStore, number: int) -> None:
    for _ in sys.stdin:
        try:
            await save(store, number + 1)
        except StoreLostError:
            say("lost")
        else:
            number += 1
            say("saved")


async def main(path: str, lease: float, command: str) -> None:
    store = SQLiteStore(path, keep_events=True, lease=lease)
    say("asks")
    await store.open()
    number = len(await store.read_events(run_id=RUNS[0], limit=1_000_000))
    say("open")
    await (write if command == "write" else obey)(store, number)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], float(sys.argv[2]), sys.argv[3]))
