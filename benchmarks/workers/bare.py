"""What a user would write by hand: one aiohttp session, the status, and msgspec's decoder for the same type."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec

from benchmarks.workers.batches import Target, answer_batches, read_target, repeat
from nexus_async.models import Run

decoder = msgspec.json.Decoder(Run)


async def open_session(secret_key: str) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(headers={"Secret-Key": secret_key})


async def get_run(session: aiohttp.ClientSession, target: Target) -> Run:
    async with session.get(f"{target.url}/projects/{target.project_id}/runs/{target.run_id}") as response:
        response.raise_for_status()
        return decoder.decode(await response.read())


def main() -> None:
    target = read_target()
    with asyncio.Runner() as runner:
        session = runner.run(open_session(target.secret_key))
        answer_batches(
            lambda calls, in_flight: runner.run(repeat(lambda: get_run(session, target), calls, in_flight))
        )
        runner.run(session.close())


if __name__ == "__main__":
    main()
