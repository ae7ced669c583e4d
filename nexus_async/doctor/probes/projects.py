"""Do projects, their workflows, users, insights and runs come as the models have them?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from nexus_async.doctor.anonymous import word
from nexus_async.doctor.case import PROJECT, RUN, RUNS, KnownRun, is_id, run_of
from nexus_async.doctor.report import Finding, counted, note, ok, unknown
from nexus_async.models.project import (
    ProjectInfo,
    ProjectInsight,
    ProjectUser,
    decode_insights,
    decode_project,
    decode_users,
)
from nexus_async.models.run import Run, decode_run, decode_runs
from nexus_async.models.workflow import Workflow, decode_workflow, decode_workflows

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case

WORKFLOWS: Final = "/projects/{project}/workflows"


async def probe_projects(case: Case) -> list[Finding]:
    """Ask for all that a project lists, and for the first of its workflows and runs."""
    if not case.projects:
        return [unknown("no project is known, so that nothing of one was asked")]
    findings = []
    for project_id in case.projects:
        findings += await _probe(case, project_id)
    return [*findings, *_told(case.runs)]


async def _probe(case: Case, project_id: str) -> list[Finding]:
    findings = []
    for route, shape, decode in (
        (PROJECT, ProjectInfo, decode_project),
        (f"{PROJECT}/users", list[ProjectUser], decode_users),
        (f"{PROJECT}/insights", list[ProjectInsight], decode_insights),
    ):
        _, failure = await case.ask(route, project_id, shape=shape, decode=decode)
        findings += failure
    flows, failure = await case.ask(WORKFLOWS, project_id, shape=list[Workflow], decode=decode_workflows)
    findings += failure
    for flow_id in _ids(flows)[:1]:
        route = f"{WORKFLOWS}/{{workflow}}"
        _, failure = await case.ask(route, project_id, flow_id, shape=Workflow, decode=decode_workflow)
        findings += failure
    return findings + await _probe_runs(case, project_id)


async def _probe_runs(case: Case, project_id: str) -> list[Finding]:
    listed, findings = await case.ask(RUNS, project_id, shape=list[Run], decode=decode_runs)
    runs = [run_of(project_id, each) for each in listed] if isinstance(listed, list) else []
    known = sorted((run for run in runs if run), key=lambda run: -run.update_date)
    case.runs += known
    for run in known[:1]:
        _, failure = await case.ask(RUN, project_id, run.id, shape=Run, decode=decode_run)
        findings += failure
    if len(known) < len(runs):
        findings.append(note(f"{len(runs) - len(known)} of {len(runs)} runs of a list have no ID"))
    return findings


def _told(runs: list[KnownRun]) -> list[Finding]:
    statuses = Counter(word(run.status) for run in runs)
    told = ", ".join(f"{times} {status}" for status, times in statuses.most_common())
    several = sum(len(run.log_ids) > 1 for run in runs)
    without = sum(not run.log_ids for run in runs)
    return [
        ok(f"{counted(len(runs), 'run')}: {told or 'none'}; {several} with several logs, {without} without one")
    ]


def _ids(value: Any) -> list[str]:
    objects = value if isinstance(value, list) else []
    return [each["id"] for each in objects if isinstance(each, dict) and is_id(each.get("id"))]
