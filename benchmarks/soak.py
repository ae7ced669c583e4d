"""A bad day: 500 runs watched through faults for ten minutes: the events equal the logs, and memory is flat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks.child import child
from benchmarks.measure import print_table, print_target, spread

if TYPE_CHECKING:
    from collections.abc import Mapping

TITLE = "500 runs watched on a bad day for ten minutes: every event once, memory flat"
RUNS = 500
SECONDS = 600.0
TRAINING = 0.6
"""Share of the time for which runs are trained; the rest is for the last of their logs."""
STEP_SECONDS = 5.0
SAMPLES = 60
LOOKS = 20
"""Looks for runs that ended: of ten minutes, one each half minute."""
LARGEST_GROWTH = 3_000_000
"""Bytes of resident memory from the second quarter of the time to the last: noise is a sixth of it."""


@dataclass(frozen=True)
class Report:
    """Say what came of a soak."""

    logs: Mapping[str, Any]
    told: Mapping[str, Any]
    ends: Mapping[str, int]
    kinds: Mapping[str, int]
    resident: list[int]
    requests: int
    struck: int

    @property
    def differing(self) -> list[str]:
        """Return the runs of which something else was told than their logs hold, or not exactly one end."""
        return [
            run_id
            for run_id in self.logs
            if self.logs[run_id] != self.told.get(run_id) or self.ends.get(run_id) != 1
        ]

    @property
    def growth(self) -> int:
        """Return by how many bytes the process was larger in the last quarter than in the second."""
        quarter = len(self.resident) // 4
        return max(self.resident[-quarter:]) - max(self.resident[quarter : 2 * quarter])


def soak(seconds: float, *, runs: int = RUNS, step_seconds: float = STEP_SECONDS) -> Report:
    """Watch so many runs for about so long, on a server in a process of its own."""
    steps = max(1, round(seconds * TRAINING / step_seconds))
    with child("benchmarks.serve_soak") as server, child("benchmarks.workers.soak_watch") as watching:
        where = server.ask({"runs": runs, "steps": steps, "interval": step_seconds})
        terms = {
            "interval": step_seconds,
            "every": seconds / SAMPLES,
            "discovery": seconds / LOOKS,
            "patience": 3 * seconds + 60,
        }
        heard = watching.ask({**where, **terms})
        held = server.ask(None)
    return Report(
        logs=held["logs"],
        told=heard["told"],
        ends=heard["ends"],
        kinds=heard["kinds"],
        resident=heard["resident"],
        requests=heard["requests"],
        struck=held["struck"],
    )


def main() -> None:
    report = soak(SECONDS)
    print(f"{report.requests:,} requests, of which {report.struck:,} were struck by a fault")
    print_table(["events", "told"], [[kind, f"{count:,}"] for kind, count in sorted(report.kinds.items())])
    print_target("runs whose events are not those of their log", spread([len(report.differing)]), 0, 0)
    print_target("growth of resident memory, MB", spread([report.growth / 1e6]), LARGEST_GROWTH / 1e6, 1)
