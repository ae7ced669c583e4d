"""A local Nexus on a bad day, in a process of its own, which tells at the end what its logs hold."""

from __future__ import annotations

import asyncio
import json
import sys

import msgspec

from benchmarks.soak_digest import RunDigest
from nexus_async.local import CurveTrainer, Fault, LocalNexus, LocalRun

FAULTS = (
    (Fault.refuse(503), 0.10),
    (Fault.refuse(429, retry_after=0), 0.05),
    (Fault.drop("before"), 0.02),
    (Fault.drop("in"), 0.02),
    (Fault.drop("after"), 0.01),
    (Fault.blackhole(), 0.01),
)
"""What befalls requests, all the time, and which share of them."""


async def serve() -> None:
    """Read how much to train, print where; at the next line print what the logs hold."""
    asked = json.loads(sys.stdin.readline())
    trainer = CurveTrainer(steps=asked["steps"], interval=asked["interval"])
    async with LocalNexus(trainer) as nexus:
        runs = [nexus.start_run() for _ in range(asked["runs"])]
        rules = [nexus.faults.add(fault, chance=chance) for fault, chance in FAULTS]
        where = {"url": nexus.url, "key": nexus.secret_key, "project": nexus.project_id}
        print(json.dumps(where), flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        held = {run.id: digest_of(run).told() for run in runs}
        print(json.dumps({"logs": held, "struck": sum(rule.struck for rule in rules)}), flush=True)


def digest_of(run: LocalRun) -> RunDigest:
    digest = RunDigest()
    log = run.find_log(run.log_ids[0])
    assert log is not None
    for index, entry in enumerate(msgspec.json.decode(log.body())["logs"]):
        payload = entry["pl"]
        metrics = {name: value for name, value in payload.items() if name not in {"step", "log"}}
        digest.add(index, payload["step"], entry["t"], metrics)
    return digest


if __name__ == "__main__":
    asyncio.run(serve())
