"""Showing how runs ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.cli.listing import Listing, show
from nexus_async.cli.times import write_lasting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nexus_async.cli.options import Shown
    from nexus_async.models.run import Run


def show_outcomes(title: str, runs: Sequence[Run], shown: Shown) -> None:
    """Show each run with its status, how long it took, and what the API says of it."""
    rows = [
        (run.id, run.status.overview, write_lasting(run.create_date, run.status.update_date), run.status.message)
        for run in runs
    ]
    columns = ("run", "status", "lasted", "message")
    show(Listing(title=title, columns=columns, rows=rows, found=list(runs), needed=2), shown)
