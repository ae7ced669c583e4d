"""`runs.get` of the official client, whose calls block: more in flight are more threads, of one client."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from benchmarks.workers.batches import answer_batches, read_target

if TYPE_CHECKING:
    from collections.abc import Callable


def call_in_threads(call: Callable[[], object], pool: ThreadPoolExecutor, calls: int, threads: int) -> None:
    """Make `calls` calls in all; a single thread is the one that is here, without a pool."""

    def some() -> None:
        for _ in range(calls // threads):
            call()

    if threads == 1:
        some()
        return
    for done in [pool.submit(some) for _ in range(threads)]:
        done.result()


def main() -> None:
    from datature.nexus import Client  # type: ignore[import-not-found]  # noqa: PLC0415 - of another environment

    target = read_target()
    runs = Client(target.secret_key, endpoint=target.url).get_project(target.project_id).runs
    with ThreadPoolExecutor(32) as pool:
        answer_batches(
            lambda calls, threads: call_in_threads(lambda: runs.get(target.run_id), pool, calls, threads)
        )


if __name__ == "__main__":
    main()
