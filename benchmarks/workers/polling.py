"""Polls of a log, made in one of the ways of `poll_sides`.

All ways share this process: in one of its own, bare aiohttp may cost twice as much as beside others, since malloc
then gives each buffer of 256 KiB back to the system. Each line of standard input is `[side, coding, calls, log]`,
and is answered with seconds of CPU.
"""

from __future__ import annotations

import asyncio
import json
import sys

from benchmarks.workers.poll_sides import SIDES, Log, Server


def main() -> None:
    target = json.loads(sys.stdin.readline())
    opened = {}
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            side, coding, calls, log = json.loads(line)
            if (side, coding) not in opened:
                server = Server(target["urls"][coding], target["secret_key"], target["project_id"])
                opened[side, coding] = runner.run(SIDES[side](server))
            polls, _ = opened[side, coding]
            print(runner.run(polls(Log(*target["logs"][log]), calls)), flush=True)
        for _, close in opened.values():
            runner.run(close())


if __name__ == "__main__":
    main()
