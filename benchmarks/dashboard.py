"""The dashboard's server: the share of a core that it takes, with nobody looking and with many pages open.

Server and pages are processes of their own. The events are made by the server's process, and count as its own.
"""

from __future__ import annotations

import contextlib

from benchmarks.child import child
from benchmarks.measure import print_table, print_target, spread

TITLE = "the dashboard's server with 50 open pages and 30 events a second: its share of a core"
PAGES = 50
RATE = 30.0
SECONDS = 5.0
ROUNDS = 5


def main() -> None:
    shares = {pages: _shares(pages) for pages in (0, PAGES)}
    print(f"{RATE:.0f} events a second, {ROUNDS} times {SECONDS:.0f} s")
    print_table(
        ["open pages", "share of a core, %"],
        [[str(pages), f"{spread([100 * share for share in each]):.2f}"] for pages, each in shares.items()],
    )
    print_target(f"share of a core with {PAGES} pages, %", spread([100 * share for share in shares[PAGES]]), 5.0)


def _shares(pages: int) -> list[float]:
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(child("benchmarks.workers.dashboard_server"))
        url = server.ask({"rate": RATE})
        stack.enter_context(child("benchmarks.workers.dashboard_pages")).ask({"url": url, "pages": pages})
        server.ask(1.0)  # until all have what they begin with
        taken = [server.ask(SECONDS) for _ in range(ROUNDS)]
    assert all(each["pages"] == pages for each in taken)
    return [each["share"] for each in taken]
