"""What stands beside the client in subpackages of its own, as a user writes it."""

from __future__ import annotations

from pathlib import Path
from typing import assert_type

from opentelemetry.metrics import get_meter_provider
from opentelemetry.trace import get_tracer_provider

from nexus_async import Client, Feed, Hub, Project
from nexus_async.dashboard import Dashboard, ReportedRun, reported_runs, write_report
from nexus_async.doctor import Finding, Report, Section, examine
from nexus_async.otel import OpenTelemetry


async def observe() -> None:
    hook = OpenTelemetry(tracer_provider=get_tracer_provider(), meter_provider=get_meter_provider())
    async with Client(on_call=hook) as client:
        await client.get_info()


async def ask_the_doctor(client: Client) -> int:
    report = await examine(client)
    assert_type(report, Report)
    for section in report.sections:
        assert_type(section, Section)
        assert_type(section.findings, tuple[Finding, ...])
    assert_type(report.markdown(), str)
    return report.exit_code


async def show(project: Project, feed: Feed) -> None:
    async with Dashboard(project, ended=5, port=8080, allow_kill=True) as dashboard:
        assert_type(dashboard.url, str)
        assert_type(dashboard.hub, Hub)
        await dashboard.wait()
    Dashboard(feed, projects=[project], token="a-token-of-my-own-that-is-long")


async def report(project: Project) -> Path:
    runs = await reported_runs(project, ["run_1", "run_2"])
    assert_type(runs, list[ReportedRun])
    return assert_type(write_report("report.html", *runs), Path)
