"""Is the key taken, and what does it reach?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from nexus_async.doctor.anonymous import short
from nexus_async.doctor.case import PROJECTS, WORKSPACE, is_id
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
    found = [each["id"] for each in _objects(listed) if _has_id(each)]
    if listed is not None:
        findings.append(ok(f"{counted(len(found), 'project')} listed"))
    case.projects = found[:MOST_PROJECTS] if case.wanted is None else [_id_of_project(case.wanted, listed)]
    if case.wanted is not None and listed is not None and case.projects[0] not in found:
        findings.append(note(f"the project {short(case.projects[0])} is not among them"))
    if case.wanted is None and len(found) > MOST_PROJECTS:
        findings.append(
            unknown(f"{len(found) - MOST_PROJECTS} projects were not looked into: --project names one")
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


def _id_of_project(wanted: str, listed: Any) -> str:
    """Return the ID of the project of that ID or name, whatever the list has."""
    named = (each["id"] for each in _objects(listed) if each.get("name") == wanted and _has_id(each))
    return wanted if wanted.startswith("proj_") else next(named, f"proj_{wanted}")


def _has_id(project: dict[str, Any]) -> bool:
    return is_id(project.get("id"))
