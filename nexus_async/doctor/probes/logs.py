"""Can the logs be read, and what stands in them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.doctor.anonymous import short
from nexus_async.doctor.case import LOG, KnownRun
from nexus_async.doctor.report import Finding, broken, unknown
from nexus_async.errors import RequestError
from nexus_async.models.log import RunLogs, decode_run_logs

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case

EACH: Final = 2
"""Runs of each status whose logs are read: those that were updated last."""
MOST_LOGS: Final = 3
"""Logs of a run that are read: the last ones."""


async def probe_logs(case: Case) -> list[Finding]:
    """Read the logs of a few runs of each status."""
    runs = [run for run in chosen(case.runs) if run.log_ids]
    if not runs:
        return [unknown("no run has a log")]
    failures = []
    for run in runs:
        for log_id in run.log_ids[-MOST_LOGS:]:
            failures += await _probe(case, run, log_id)
    return [*failures, *case.entries.findings()]


async def _probe(case: Case, run: KnownRun, log_id: str) -> list[Finding]:
    try:
        body = await case.wire.get(LOG, run.project_id, log_id)
    except RequestError as error:
        return [broken(f"{case.wire.told(error, LOG)} (a log of {short(run.id)}, {run.status})")]
    case.tally.take(body, RunLogs, decode_run_logs, route=LOG)
    try:
        case.entries.take(body)
    except msgspec.DecodeError:
        return [broken(f"a log of {short(run.id)} cannot be read: {len(body)} bytes that are no list of entries")]
    return []


def chosen(runs: list[KnownRun]) -> list[KnownRun]:
    """Return the runs of each status that were updated last."""
    by_status: dict[str, list[KnownRun]] = {}
    for run in sorted(runs, key=lambda run: -run.update_date):
        by_status.setdefault(run.status, []).append(run)
    return [run for group in by_status.values() for run in group[:EACH]]
