"""Choosing the secret key and the project that a command works with."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from nexus_async.cli.exits import CommandError, NoKeyError, NoSuchError
from nexus_async.cli.key_file import KeyFile, StoredProject
from nexus_async.client import Client
from nexus_async.config import SECRET_KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from nexus_async.resources.project import Project

PROJECT_VARIABLE: Final = "DATATURE_PROJECT"


class Access(NamedTuple):
    """What a command asks with, and about."""

    secret_key: str
    source: str
    """Where the key comes from, as people call it."""
    project: str | None
    """The ID or name of the project; None where nothing says which."""


def choose_access(wanted: str | None, environment: Mapping[str, str] = os.environ) -> Access:
    """Choose the key and the project: what is `wanted`, else the environment, else the official client's file.

    A key of the environment is used whatever the file has. Raises `NoKeyError` where there is none.
    """
    file = KeyFile()
    project = wanted or environment.get(PROJECT_VARIABLE) or file.default_project_id
    if key := environment.get(SECRET_KEY_VARIABLE):
        return Access(key, f"the variable {SECRET_KEY_VARIABLE}", project)
    stored = _stored_for(project, file)
    if stored is None:
        raise NoKeyError(f"no secret key: run nexus-async login, or set {SECRET_KEY_VARIABLE}")
    is_known = project is not None and file.find(project) is not None
    return Access(stored.secret_key, str(file.path), stored.id if is_known else project)


def _stored_for(project: str | None, file: KeyFile) -> StoredProject | None:
    """Return the entry whose key reaches a project, as far as the file can tell."""
    if project is not None and (stored := file.find(project)):
        return stored
    default = file.default_project_id
    if default is not None and (stored := file.find(default)):
        return stored  # keys are of a workspace: it may well reach others
    return next(iter(file.projects), None)


@asynccontextmanager
async def open_client(wanted: str | None = None) -> AsyncIterator[Client]:
    """Open a client with the key of the chosen project."""
    async with Client(choose_access(wanted).secret_key) as client:
        yield client


@asynccontextmanager
async def open_project(wanted: str | None) -> AsyncIterator[Project]:
    """Open the chosen project. Raises `NoSuchError` where none is of that ID or name."""
    access = choose_access(wanted)
    async with Client(access.secret_key) as client:
        yield await find_project(client, access.project)


async def find_project(client: Client, wanted: str | None) -> Project:
    """Return the project of that ID or name; without any, the only one that the key reaches."""
    if wanted is not None and wanted.startswith("proj_"):
        return client.get_project(wanted)
    projects = await client.list_projects()
    if wanted is None:
        return _only(projects)
    matching = [each for each in projects if each.id == f"proj_{wanted}"]
    matching = matching or [each for each in projects if _name(each) == wanted]
    if not matching:
        raise NoSuchError(f"no project {wanted!r}: there are {_listed(projects)}")
    if len(matching) > 1:
        raise CommandError(f"several projects are named {wanted!r}: choose by ID among {_listed(matching)}")
    return matching[0]


def _only(projects: list[Project]) -> Project:
    if len(projects) == 1:
        return projects[0]
    if not projects:
        raise NoSuchError("the secret key reaches no project: make one in Nexus, or log in with another key")
    raise CommandError(f"which project? Pass --project, or set {PROJECT_VARIABLE}: there are {_listed(projects)}")


def _listed(projects: list[Project]) -> str:
    return ", ".join(f"{each.id} ({_name(each)})" for each in projects)


def _name(project: Project) -> str:
    return project.info.name if project.info else ""
