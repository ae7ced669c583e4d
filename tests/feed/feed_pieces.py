"""Pieces for the tests of a feed's parts: events, runs, and a store that writes down what it is asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from nexus_async import Checkpoint, Run
from nexus_async.models.run import RunExecution, RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nexus_async import Event


def checkpoint(index: int, run_id: str = "run_1") -> Checkpoint:
    return Checkpoint(
        project_id="proj_1",
        run_id=run_id,
        id=f"{run_id}:{index}",
        cursor=f"{run_id} after {index}",
        log_id=f"log_of_{run_id}",
        index=index,
        time=1.5,
        step=index,
        metrics={},
    )


def run_of(run_id: str, status: str = "Running", *, since: int = 1) -> Run:
    return Run(
        id=run_id,
        project_id="proj_1",
        flow_id="flow_1",
        execution=RunExecution(),
        status=RunStatus(overview=status, update_data=since),
        create_date=0,
        update_date=0,
        log_ids=[f"log_of_{run_id}"],
    )


def wire(run_id: object, status: object = "Running", *, since: object = 1) -> dict[str, object]:
    """Return a run as a list has it."""
    return {
        "id": run_id,
        "projectId": "proj_1",
        "flowId": "flow_1",
        "execution": {},
        "status": {"overview": status, "message": "", "updateDate": since},
        "createDate": 0,
        "updateDate": 0,
        "logIds": [f"log_of_{run_id}"],
    }


def body_of(*runs: object) -> bytes:
    return msgspec.json.encode(runs)


class NotingStore:
    """Keep what is saved, and when; raise `failures`, one a save, before keeping any."""

    def __init__(
        self, kept: Mapping[str, str] | None = None, *, lease: float | None = None, events: bool = False
    ) -> None:
        self.kept = dict(kept or {})
        self.lease = lease
        self.keeps_events = events
        self.events: list[str] = []
        self.saves: list[tuple[float, dict[str, str]]] = []
        self.failures: list[Exception] = []
        self.is_open = False

    async def open(self) -> None:
        self.is_open = True

    async def load(self) -> dict[str, str]:
        return dict(self.kept)

    async def save(self, cursors: Mapping[str, str], events: Sequence[Event] = ()) -> None:
        assert self.is_open
        self.saves.append((asyncio.get_running_loop().time(), dict(cursors)))
        await asyncio.sleep(0.01)
        if self.failures:
            raise self.failures.pop(0)
        self.kept.update(cursors)
        self.events += [event.id for event in events]

    async def aclose(self) -> None:
        self.is_open = False
