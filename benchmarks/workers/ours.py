"""`runs.get` of nexus-async, as its README shows it."""

from __future__ import annotations

import asyncio

from benchmarks.workers.batches import answer_batches, read_target, repeat
from nexus_async import Client


def main() -> None:
    target = read_target()
    client = Client(target.secret_key, endpoint=target.url, requests_per_second=1e9, bytes_per_second=1e12)
    runs = client.get_project(target.project_id).runs
    with asyncio.Runner() as runner:
        answer_batches(
            lambda calls, in_flight: runner.run(repeat(lambda: runs.get(target.run_id), calls, in_flight))
        )
        runner.run(client.aclose())


if __name__ == "__main__":
    main()
