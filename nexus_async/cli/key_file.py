"""The configuration file of the official client: the secret keys of projects, and which project is the default.

`{project: {ID: {project_secret: base64 of the key, project_name: NAME}}, default_project: ID}`, as YAML
(source: `datature.nexus.cli.config` of the official client, 1.12.2).
"""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import yaml

from nexus_async.cli.exits import CommandError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE_VARIABLE: Final = "DATATURE_SDK_CONFIG"


class StoredProject(NamedTuple):
    """What the file holds of a project."""

    id: str
    name: str
    secret_key: str


def key_file_path(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the file is: as the variable `DATATURE_SDK_CONFIG` says, else in the user's folder."""
    if given := environment.get(FILE_VARIABLE):
        return Path(given)
    inside = "AppData/Roaming/Datature" if sys.platform == "win32" else ".config/datature"
    return Path.home() / inside / "config.yaml"


class KeyFile:
    """Read the file, and write it with all that others keep in it.

    Raises `CommandError` where it cannot be read, or is not what the official client writes.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = key_file_path() if path is None else path
        """Where it is, or would be."""
        self._content = self._read()

    @property
    def projects(self) -> list[StoredProject]:
        """Return the projects that it has a key for."""
        entries = self._mapping("project").items()
        return [self._stored(str(project_id), entry) for project_id, entry in entries]

    @property
    def default_project_id(self) -> str | None:
        """Return the ID of the default project; None where there is none."""
        given = self._content.get("default_project")
        return None if given is None else str(given)

    def find(self, project: str) -> StoredProject | None:
        """Return the project of that ID or name; None where it is not there, or where a name is not unique."""
        known = self.projects
        named = [each for each in known if each.name == project]
        by_id = (each for each in known if each.id in {project, f"proj_{project}"})
        return next(by_id, named[0] if len(named) == 1 else None)

    def put(self, project: StoredProject) -> None:
        """Take a project's key in."""
        encoded = base64.b64encode(project.secret_key.encode("ascii")).decode("ascii")
        entry = self._content.setdefault("project", {}).setdefault(project.id, {})
        entry.update(project_secret=encoded, project_name=project.name)

    def set_default(self, project_id: str) -> None:
        """Make a project the default."""
        self._content["default_project"] = project_id

    def save(self) -> None:
        """Write it, whole or not at all, for nobody but its owner to read. Raises `CommandError`."""
        try:
            self._replace(yaml.safe_dump(self._content, default_flow_style=False, allow_unicode=True))
        except OSError as failure:
            raise CommandError(f"cannot write {self.path}: {failure.strerror}") from None

    def _replace(self, text: str) -> None:
        target = self.path.resolve()  # where it is a link, what it leads to is written
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _read(self) -> dict[str, Any]:
        try:
            content = yaml.safe_load(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except OSError as failure:
            raise CommandError(f"cannot read {self.path}: {failure.strerror}") from None
        except (yaml.YAMLError, ValueError):
            raise self._no_key_file() from None
        if content is None:
            return {}
        if not isinstance(content, dict):
            raise self._no_key_file()
        return content

    def _mapping(self, name: str) -> dict[Any, Any]:
        mapping = self._content.get(name) or {}
        if not isinstance(mapping, dict):
            raise self._no_key_file()
        return mapping

    def _stored(self, project_id: str, entry: Any) -> StoredProject:
        try:
            key = base64.b64decode(entry["project_secret"], validate=True).decode("ascii")
            return StoredProject(project_id, str(entry.get("project_name", "")), key)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise self._no_key_file() from None

    def _no_key_file(self) -> CommandError:
        return CommandError(
            f"{self.path} is not the file that the official client writes: mend it, or move it away and "
            "run nexus-async login"
        )
