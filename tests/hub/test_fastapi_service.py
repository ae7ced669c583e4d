"""The example of a service: a real server, asked over a real socket."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from nexus_async import RunAdded, decode_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from nexus_async import Event

EXAMPLE = Path(__file__).parents[2] / "examples" / "fastapi_service.py"
UVICORN = ("-m", "uvicorn", "--timeout-graceful-shutdown", "1", "--port", "0", "--app-dir", str(EXAMPLE.parent))


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Serve the example; give the process and its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *UVICORN, "fastapi_service:app", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr
    try:
        async for line in process.stderr:
            if told := re.search(rb"running on (http://[\d.:]+)", line):
                yield process, told[1].decode()
                break
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def first_events(url: str, count: int, **headers: str) -> list[Event]:
    events: list[Event] = []
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.content_type == "text/event-stream"
        async for line in answer.content:
            if line.startswith(b"data: "):
                events.append(decode_event(line.removeprefix(b"data: ")))
            if len(events) == count:
                break
    return events


async def test_the_service_passes_events_on_and_resumes_after_one() -> None:
    async with serving() as (process, url):
        added, later = await first_events(f"{url}/events", 2)
        assert isinstance(added, RunAdded)
        run_events = f"{url}/events?run_id={added.run_id}"
        assert await first_events(run_events, 1, **{"Last-Event-ID": added.id}) == [later]
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) in {0, -signal.SIGINT}


def test_the_service_is_shorter_than_forty_lines() -> None:
    assert len(EXAMPLE.read_text().splitlines()) < 40
