"""Run the benchmarks that are named, or all of them; each names what it is measured against."""

from __future__ import annotations

import argparse
import os
import platform

from benchmarks import command_line, dashboard, fleet, get_run, import_time, pacing, poll, soak

BENCHMARKS = {
    "command_line": command_line,
    "dashboard": dashboard,
    "fleet": fleet,
    "get_run": get_run,
    "import_time": import_time,
    "pacing": pacing,
    "poll": poll,
}
BY_NAME_ALONE = {"soak": soak}
"""Those that take too long to be run with the others."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    there = {**BENCHMARKS, **BY_NAME_ALONE}
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of: {', '.join(there)}")
    names = parser.parse_args().names or list(BENCHMARKS)
    for unknown in set(names) - set(there):
        parser.error(f"no benchmark {unknown!r}; there are {', '.join(there)}")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} CPUs")
    for name in names:
        print(f"\n{name}: {there[name].TITLE}\n")
        there[name].main()


if __name__ == "__main__":
    main()
