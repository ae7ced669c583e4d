"""Time of a whole Python process that imports nexus-async, against one that imports what it is made of.

A user who called the API by hand would import aiohttp, msgspec and anyio all the same. A bare
`import nexus_async` has to be nearly free, since pytest loads a plugin of this package wherever it is installed.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.child import ROOT
from benchmarks.measure import in_turns, print_table, print_target, ratio, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TITLE = "time of `python -c STATEMENT`, in milliseconds: median [least-greatest]"

ROUNDS = 21
NOTHING = "pass"
PARTS = "import aiohttp, msgspec, anyio"
PACKAGE = "import nexus_async"
CLIENT = "from nexus_async import Client"
LIMIT = 1.15

UNWANTED = ("nexus_async.cli", "nexus_async.local", "rich", "cyclopts", "sklearn", "pytest")
"""What neither import may load."""

_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Installed packages are compiled; where nothing may be written, ours would be compiled each time."""


class Cost(NamedTuple):
    """Milliseconds of a process, from its start to its end."""

    wall: float
    cpu: float


def main() -> None:
    costs = in_turns(ROUNDS, {statement: _start(statement) for statement in (NOTHING, PARTS, PACKAGE, CLIENT)})
    _report(
        {statement: [cost.wall for cost in taken] for statement, taken in costs.items()},
        {statement: [cost.cpu for cost in taken] for statement, taken in costs.items()},
    )
    for statement in (PACKAGE, CLIENT):
        print(f"check: `{statement}` loads {', '.join(_unwanted(statement)) or 'none'} of {', '.join(UNWANTED)}")


def _start(statement: str) -> Callable[[], Cost]:
    """Return what runs the statement in a process of its own and gives its cost."""

    def run() -> Cost:
        begun, used = time.perf_counter(), _used_by_children()
        subprocess.run([sys.executable, "-c", statement], cwd=ROOT, env=_ENVIRONMENT, check=True)
        return Cost((time.perf_counter() - begun) * 1e3, (_used_by_children() - used) * 1e3)

    return run


def _used_by_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _report(wall: Mapping[str, list[float]], cpu: Mapping[str, list[float]]) -> None:
    print_table(
        ["statement", "wall ms", "/ its parts", "CPU ms", "/ its parts"],
        [
            [
                statement,
                f"{spread(wall[statement]):.0f}",
                f"{ratio(wall[statement], wall[PARTS]):.2f}",
                f"{spread(cpu[statement]):.0f}",
                f"{ratio(cpu[statement], cpu[PARTS]):.2f}",
            ]
            for statement in wall
        ],
    )
    print()
    for statement in (PACKAGE, CLIENT):
        print_target(f"wall, `{statement}` / its parts", ratio(wall[statement], wall[PARTS]), LIMIT)
        print_target(f"CPU, `{statement}` / its parts", ratio(cpu[statement], cpu[PARTS]), LIMIT)


def _unwanted(statement: str) -> list[str]:
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)
    return [name for name in UNWANTED if name in json.loads(answer.stdout)]
