"""`nexus-async login` and `nexus-async whoami`."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.exits import NoKeyError
from nexus_async.cli.key_file import KeyFile, StoredProject
from nexus_async.cli.listing import Listing, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.options import AS_TABLE, Shown
from nexus_async.cli.project import choose_access, find_project
from nexus_async.client import Client

if TYPE_CHECKING:
    from nexus_async.resources.project import Project


def login(
    *,
    project: Annotated[
        str | None,
        Parameter(name=["--project", "-p"], help="The default project from now on, by its ID or name."),
    ] = None,
) -> None:
    """Keep a secret key, after checking it, in the official client's file.

    The key is read from standard input, or asked for where that is a terminal; no
    option takes it, since the list of processes shows options. Every project that
    it reaches is kept; --project makes one the default.

    Such as:

      nexus-async login
      nexus-async login --project 'Blood cells' < key.txt
    """
    run_async(_login(_read_key(), project))


def whoami(*, shown: Shown = AS_TABLE) -> None:
    """Show the workspace that the secret key belongs to, and where the key comes from.

    Such as:

      nexus-async whoami
      nexus-async whoami -o json
    """
    run_async(_whoami(shown))


def _read_key() -> str:
    key = getpass.getpass("Secret key: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not key.strip():
        raise NoKeyError("no secret key came on standard input: copy it from Nexus")
    return key.strip()


async def _login(key: str, wanted: str | None) -> None:
    file = KeyFile()
    async with Client(key) as client:
        workspace, projects = await client.get_info(), await client.list_projects()
        chosen = None if wanted is None else await find_project(client, wanted)
    if chosen is not None and chosen.id not in {project.id for project in projects}:
        chosen = await _reached(key, chosen)
        projects.append(chosen)
    for project in projects:
        file.put(StoredProject(project.id, project.info.name if project.info else "", key))
    default = _choose_default(file, projects, chosen)
    file.save()
    say(f"Logged in to {workspace.name}: {len(projects)} projects kept in {file.path}, {default}")


async def _reached(key: str, project: Project) -> Project:
    """Return a project that no list has, once it has answered."""
    async with Client(key) as client:
        reached = client.get_project(project.id)
        await reached.get_info()
        return reached


def _choose_default(file: KeyFile, projects: list[Project], chosen: Project | None) -> str:
    """Choose the default project, and say which it is."""
    if chosen is None and file.default_project_id is None and len(projects) == 1:
        chosen = projects[0]
    if chosen is not None:
        file.set_default(chosen.id)
    if file.default_project_id is None:
        return "none of them the default: choose with --project"
    return f"{file.default_project_id} the default"


async def _whoami(shown: Shown) -> None:
    access = choose_access(None)
    async with Client(access.secret_key) as client:
        workspace = await client.get_info()
    facts = {
        "workspace": workspace.name,
        "id": workspace.id,
        "tier": workspace.tier,
        "owner": workspace.owner,
        "endpoint": client.endpoint,
        "key from": access.source,
        "project": access.project or "",
    }
    found = {
        "workspace": workspace,
        "endpoint": client.endpoint,
        "keyFrom": access.source,
        "project": access.project,
    }
    show(
        Listing(title="Workspace", columns=("fact", "value"), rows=list(facts.items()), found=found, needed=2),
        shown,
    )
