"""The command line: how soon its help is there, and what share of a core the live table takes.

Help is measured against an import of cyclopts alone, as whole processes. The table is that of a real
`nexus-async watch` in a terminal of its own, polling as it does by default; the local Nexus that it watches is
another process. Its share without a terminal, where it writes lines, stands beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from typing import TYPE_CHECKING

from benchmarks.child import ROOT
from benchmarks.measure import in_turns, print_table, print_target, ratio, spread
from nexus_async import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TITLE = "`nexus-async --help` against `import cyclopts`, and the live table with 200 runs"
ROUNDS = 21
HELP = ("-m", "nexus_async", "--help")
CYCLOPTS = ("-c", "import cyclopts")
RUNS = 200
SECONDS = 5.0
WARM_UP = 15.0
SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
SERVE = ("-m", "nexus_async", "local", "--trainer", "curves", "--steps", "100000", "--interval", "5")
WATCH = ("-m", "nexus_async", "watch")


def main() -> None:
    taken = in_turns(ROUNDS, {what: _run(*what) for what in (CYCLOPTS, HELP)})
    print_table(
        ["python ...", "wall ms"], [[" ".join(what), f"{spread(each):.0f}"] for what, each in taken.items()]
    )
    print_target("wall, help / import cyclopts", ratio(taken[HELP], taken[CYCLOPTS]), 2.5)
    print()
    with _serving() as environment:
        lines = {height: _shares(environment, height) for height in (0, 50, RUNS + 5)}
    names = {0: "lines into a pipe", 50: "table, 50 lines high", RUNS + 5: f"table, {RUNS + 5} lines high"}
    print_table(
        [f"watch of {RUNS} runs", "share of a core, %"],
        [[names[height], f"{spread(each):.1f}"] for height, each in lines.items()],
    )
    print_target("share of a core with all runs in sight, %", spread(lines[RUNS + 5]), 10.0, digits=1)


def _run(*words: str) -> Callable[[], float]:
    def run() -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, *words], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return (time.perf_counter() - begun) * 1e3

    return run


@contextlib.contextmanager
def _serving() -> Iterator[dict[str, str]]:
    """Serve a local Nexus with all runs started; give what points a client at it."""
    served = subprocess.Popen(
        [sys.executable, *SERVE], cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    with served:
        assert served.stdout
        printed = served.stdout.readline() + served.stdout.readline()
        exported = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
        exported["DATATURE_PROJECT"] = asyncio.run(_start(exported))
        try:
            yield {**os.environ, **exported}
        finally:
            served.terminate()


async def _start(exported: dict[str, str]) -> str:
    key, endpoint = exported["DATATURE_SECRET_KEY"], exported["DATATURE_API_BASE_URL"]
    async with Client(key, endpoint=endpoint, requests_per_second=1000) as client:
        project = (await client.list_projects())[0]
        flows = await project.workflows.list()
        await asyncio.gather(*(project.runs.start(flows[i % len(flows)].id, SETUP) for i in range(RUNS)))
        return project.id


def _shares(environment: dict[str, str], height: int) -> list[float]:
    """Watch in a terminal of so many lines, or in none; return shares of a core, in percent."""
    ours, theirs = pty.openpty() if height else os.pipe()
    if height:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", height, 160, 0, 0))
    environment = {**environment, "TERM": "xterm-256color"}
    watch = subprocess.Popen([sys.executable, *WATCH], cwd=ROOT, env=environment, stdout=theirs, stderr=theirs)
    os.close(theirs)
    reader = threading.Thread(target=_read_all, args=[ours])
    reader.start()
    with watch:
        time.sleep(WARM_UP)
        shares = [_share_of(watch.pid) for _ in range(5)]
        watch.terminate()
    reader.join()
    return shares


def _share_of(process: int) -> float:
    before, begun = _cpu_of(process), time.perf_counter()
    time.sleep(SECONDS)
    return 100 * (_cpu_of(process) - before) / (time.perf_counter() - begun)


def _cpu_of(process: int) -> float:
    """Return the seconds that a process has used (proc(5): utime and stime)."""
    with open(f"/proc/{process}/stat") as stat:  # noqa: PTH123 - there is no shorter way
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _read_all(descriptor: int) -> None:
    with contextlib.suppress(OSError):
        while os.read(descriptor, 65536):
            pass
    os.close(descriptor)
