"""`runs.get_logs` of the official client: the only way that it has to look for news."""

from __future__ import annotations

import json
import sys
import time


def main() -> None:
    from datature.nexus import Client  # type: ignore[import-not-found]  # noqa: PLC0415 - of another environment

    target = json.loads(sys.stdin.readline())
    runs = Client(target["secret_key"], endpoint=target["url"]).get_project(target["project_id"]).runs
    for line in sys.stdin:
        calls, log_id = json.loads(line)
        begun = time.process_time()
        for _ in range(calls):
            runs.get_logs(log_id)
        print(time.process_time() - begun, flush=True)


if __name__ == "__main__":
    main()
