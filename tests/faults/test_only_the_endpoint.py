"""Whatever happens, nothing but the endpoint is contacted, and no other name is looked up."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, Final

from nexus_async.local import CurveTrainer, Fault, LocalNexus

SESSION: Final = Path(__file__).with_name("watched_session.py")


async def watched(nexus: LocalNexus) -> dict[str, Any]:
    """Run a session in a process of its own, and return what it tells."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(SESSION), nexus.url, nexus.secret_key, nexus.project_id, stdout=PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    told: dict[str, Any] = json.loads(out)
    return told


def turn_bad(nexus: LocalNexus) -> None:
    nexus.faults.add(Fault.redirect("http://elsewhere.example"), on="client.get_info")
    nexus.faults.add(Fault.redirect("http://127.0.0.1:9"), on="get_logs", times=1)
    nexus.faults.add(Fault.refuse(503), on=["list", "get", "get_logs"], chance=0.1)
    nexus.faults.add(Fault.refuse(429, retry_after=0), on=["list", "get", "get_logs"], chance=0.05)
    nexus.faults.add(Fault.drop("in"), on=["list", "get", "get_logs"], chance=0.05)
    nexus.faults.add(Fault.etag(), on="get_logs")


async def test_nothing_but_the_endpoint_is_contacted_through_a_watch_with_faults_and_redirects() -> None:
    async with LocalNexus(CurveTrainer(steps=5, interval=0.1), host="localhost") as nexus:
        turn_bad(nexus)
        told = await watched(nexus)
        port = nexus.url.rpartition(":")[2]
    looked_up = {tuple(each[1:]) for each in told["contacted"] if each[0] == "socket.getaddrinfo"}
    connected = {tuple(each[1:]) for each in told["contacted"] if each[0] == "socket.connect"}
    assert looked_up == {("localhost", port)}
    assert {("127.0.0.1", port)} <= connected <= {("127.0.0.1", port), ("::1", port)}
    assert {each[0] for each in told["contacted"]} == {"socket.getaddrinfo", "socket.connect"}
    assert told["errors"] == ["RedirectError"]
    assert told["ended"] == 3
