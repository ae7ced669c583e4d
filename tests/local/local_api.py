"""A plain client of the local server, on sockets or on virtual time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import aiohttp
import msgspec
import pytest

from nexus_async.local import LocalNexus, LocalProject, LocalRun, LocalWorkflow, ScriptedTrainer, Trainer
from nexus_async.testing import is_virtual
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

ACCELERATOR = {"name": "GPU_T4", "count": 1}
CHECKPOINT = {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluationInterval": 250}
virtual = pytest.mark.virtual_time
NO_LIMIT = {"metric": "LIM_NONE", "value": 0}


@dataclass
class Answer:
    status: int
    data: Any
    headers: Mapping[str, str]


class Api:
    def __init__(self, nexus: LocalNexus, session: aiohttp.ClientSession) -> None:
        self._nexus = nexus
        self._session = session

    async def __call__(
        self, method: str, path: str, body: object = None, *, key: str | None = "", project: str | None = None
    ) -> Answer:
        """Ask; `path` is relative to the first project where it does not begin with a slash."""
        if not path.startswith("/"):
            path = f"/projects/{project or self._nexus.project_id}/{path}"
        given = self._nexus.secret_key if key == "" else key
        headers = {} if given is None else {"Secret-Key": given}
        sent = body if isinstance(body, bytes) else msgspec.json.encode(body)
        url = f"{self._nexus.url}{path}"
        async with self._session.request(method, url, data=sent, headers=headers) as answer:
            return Answer(answer.status, msgspec.json.decode(await answer.read()), answer.headers)

    async def start(self, flow_id: str, **execution: object) -> Answer:
        body = {
            "flowId": flow_id,
            "execution": {"accelerator": ACCELERATOR, "checkpoint": CHECKPOINT, "limit": NO_LIMIT} | execution,
            "features": {"advancedEvaluation": True, "preview": True, "matrix": None},
        }
        return await self("POST", "runs", body)


@asynccontextmanager
async def serving(trainer: Trainer | None = None, **options: Any) -> AsyncIterator[tuple[LocalNexus, Api]]:
    in_virtual_time = is_virtual(asyncio.get_running_loop())
    connector = VirtualConnector() if in_virtual_time else aiohttp.TCPConnector()
    async with (
        LocalNexus(trainer or ScriptedTrainer(), **options) as nexus,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield nexus, Api(nexus, session)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what threads bring about, on real time."""
    for _ in range(10_000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise TimeoutError


def entries(run: LocalRun, log_id: str | None = None) -> list[Any]:
    log = run.find_log(log_id or run.log_ids[0])
    assert log is not None
    logs: list[Any] = msgspec.json.decode(log.body())["logs"]
    return logs


def metrics(run: LocalRun) -> list[dict[str, Any]]:
    return [entry["pl"] for entry in entries(run)]


def one_project(**workflow: Any) -> list[LocalProject]:
    return [LocalProject(name="only", workflows=[LocalWorkflow(title="only", **workflow)])]
