"""Is the key taken, and what does it reach?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from nexus_async.doctor.anonymous import short
from nexus_async.doctor.case import PROJECTS, WORKSPACE
from nexus_async.doctor.report import Finding, broken, counted, note, ok, unknown
from nexus_async.models.project import ProjectInfo, decode_projects
from nexus_async.models.workspace import Workspace, decode_workspace

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case

MOST_PROJECTS: Final = 5
"""Projects that are looked into, where none is named."""


async def probe_key(case: Case) -> list[Finding]:
    """Ask for the workspace and its projects."""
    workspace, failure = await case.ask(WORKSPACE, shape=Workspace, decode=decode_workspace)
    listed, failures = await case.ask(PROJECTS, shape=list[ProjectInfo], decode=decode_projects)
    findings = [*_key(case), *failure, *failures]
    if workspace is not None:
        findings.append(ok(f"the workspace answers, {_id_of(workspace)}"))
    found = [each["id"] for each in _objects(listed) if isinstance(each.get("id"), str)]
    if listed is not None:
        findings.append(ok(f"{counted(len(found), 'project')} listed"))
    case.projects = [_full(case.project_id)] if case.project_id else found[:MOST_PROJECTS]
    if case.project_id and listed is not None and case.projects[0] not in found:
        findings.append(note(f"the project {short(case.projects[0])} is not among them"))
    if len(found) > len(case.projects) and not case.project_id:
        findings.append(
            unknown(f"{len(found) - len(case.projects)} projects were not looked into: --project names one")
        )
    return findings


def _key(case: Case) -> list[Finding]:
    statuses = {sample.status for sample in case.wire.samples}
    if HTTPStatus.UNAUTHORIZED in statuses:
        return [broken("the key is refused: check DATATURE_SECRET_KEY, or make a new one in Nexus")]
    if HTTPStatus.OK in statuses:
        return [ok("the key is taken")]
    return []


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _id_of(workspace: Any) -> str:
    found = workspace.get("id") if isinstance(workspace, dict) else None
    return short(found) if isinstance(found, str) else "without an ID"


def _full(project_id: str) -> str:
    return project_id if project_id.startswith("proj_") else f"proj_{project_id}"
