"""Running all probes, so that one that fails hides none of the others."""

from __future__ import annotations

import platform
import traceback
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Final

from nexus_async.config import ENDPOINT, VERSION, positive
from nexus_async.doctor.case import Case
from nexus_async.doctor.probes.clock import probe_clock
from nexus_async.doctor.probes.headers import probe_headers
from nexus_async.doctor.probes.key import probe_key
from nexus_async.doctor.probes.latency import probe_latency
from nexus_async.doctor.probes.logs import probe_logs
from nexus_async.doctor.probes.matrices import probe_matrices
from nexus_async.doctor.probes.projects import probe_projects
from nexus_async.doctor.probes.updates import probe_updates
from nexus_async.doctor.probes.validators import probe_validators
from nexus_async.doctor.report import Finding, Report, Section, broken
from nexus_async.doctor.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from nexus_async.client import Client

    Probe = Callable[[Case], Awaitable[list[Finding]]]

WAIT: Final = 30.0
"""Seconds between two looks at an active run: a checkpoint every half minute is usual."""

PROBES: Final[tuple[tuple[str, Probe], ...]] = (
    ("Key, workspace, projects", probe_key),
    ("Latency", probe_latency),
    ("Projects and runs", probe_projects),
    ("Logs", probe_logs),
    ("Confusion matrices", probe_matrices),
    ("Validators", probe_validators),
    ("`updateDate` and checkpoints", probe_updates),
    ("Clocks", probe_clock),
    ("Headers", probe_headers),
)
"""In the order in which they find things for each other: those that only look back come last."""


async def examine(
    client: Client,
    *,
    project: str | None = None,
    wait: float = WAIT,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """Find out, by GET alone, whether Nexus answers as this release expects, and where it does not.

    Of the workspace's projects the first five are looked into, or the one whose ID or name is `project`.
    An active run is looked at twice, `wait` seconds apart; `say` is told what takes its time. No failure of Nexus
    raises: the report tells of it. Raises `ConfigurationError` for a `wait` that is not above zero.
    """
    # a report is on what the client itself sends, by its own clock
    wire = Wire(client._requester, client.endpoint, clock=client._shared.clock)  # noqa: SLF001
    case = Case(wire=wire, wanted=project, wait=positive("wait", wait), say=say)
    sections = [Section(title=title, findings=await _findings(probe, case)) for title, probe in PROBES]
    return Report(
        versions=_versions(),
        endpoint=client.endpoint if client.endpoint == ENDPOINT else "an endpoint that is not Nexus' own",
        requests=case.wire.sent,
        key_refused=case.wire.was_refused,
        sections=(*sections, case.tally.section()),
    )


async def _findings(probe: Probe, case: Case) -> tuple[Finding, ...]:
    try:
        return tuple(await probe(case))
    except Exception as failure:  # noqa: BLE001 - what nobody thought of must not hide what the others find
        return (broken(f"this probe failed itself, with {type(failure).__name__} at {_place(failure)}"),)


def _place(failure: Exception) -> str:
    """Name the file and the line; the message may repeat what came."""
    last = traceback.extract_tb(failure.__traceback__)[-1]
    return f"{last.filename.replace(chr(92), '/').rpartition('/')[2]}:{last.lineno}"


def _versions() -> dict[str, str]:
    versions = {
        "nexus-async": VERSION,
        "Python": f"{platform.python_version()} ({platform.system()} {platform.machine()})",
    }
    for name in ("aiohttp", "msgspec"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = "unknown"
    return versions
