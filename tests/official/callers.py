"""The two clients, called alike: a call is a name, such as `project.runs.get`, and its arguments."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from nexus_async import Client, NexusError, Project

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-official" / "bin" / "python"
PATIENCE = 60.0

Call = tuple[Any, ...]


class Account(NamedTuple):
    endpoint: str
    key: str
    project: str


Caller = Callable[..., Awaitable[list[Any]]]


async def call_theirs(account: Account, *calls: Call) -> list[Any]:
    """Make calls with the official client, in a process of its own: it blocks."""
    process = await asyncio.create_subprocess_exec(
        PYTHON,
        Path(__file__).with_name("driver.py"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # a proxy or a password file of this machine must not change what is sent
        env={**os.environ, "NO_PROXY": "*", "NETRC": os.devnull},
    )
    asked = json.dumps({**account._asdict(), "calls": calls}).encode()
    try:
        answers, complaints = await asyncio.wait_for(process.communicate(asked), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complaints.decode()
    return list(json.loads(answers))


async def call_ours(account: Account, *calls: Call) -> list[Any]:
    """Make calls with this package's client, each once."""
    async with Client(account.key, endpoint=account.endpoint, attempts=1) as client:
        scope = SimpleNamespace(client=client, project=client.get_project(account.project))
        return [await _answer_of(scope, *call) for call in calls]


async def _answer_of(scope: SimpleNamespace, name: str, *arguments: Any) -> Any:
    try:
        return plain(await attrgetter(name)(scope)(*arguments))
    except NexusError as error:
        return {"error": type(error).__name__}


def plain(answer: Any) -> Any:
    """Turn structs into objects of their attributes, by the names that they have in Python."""
    match answer:
        case list():
            return [plain(item) for item in answer]
        case msgspec.Struct():
            return {name: plain(getattr(answer, name)) for name in answer.__struct_fields__}
        case Project():
            return {"id": answer.id, "info": plain(answer.info)}
        case _:
            return answer
