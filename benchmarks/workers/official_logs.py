"""`runs.get_logs` of the official client: the only way that it has to look for news.

Each line of standard input is `[side, coding, calls, log]`, as `polling` has it; the side is always this one.
"""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    from datature.nexus import Client  # type: ignore[import-not-found]  # noqa: PLC0415 - of another environment

    target = json.loads(sys.stdin.readline())
    runs = {
        coding: Client(target["secret_key"], endpoint=url).get_project(target["project_id"]).runs
        for coding, url in target["urls"].items()
    }
    for line in sys.stdin:
        _, coding, calls, log = json.loads(line)
        _, log_id = target["logs"][log]
        begun = time.process_time()
        for _ in range(calls):
            runs[coding].get_logs(log_id)
        print(time.process_time() - begun, flush=True)


if __name__ == "__main__":
    main()
