"""`login` and `whoami`, and where key and project come from."""

from __future__ import annotations

import base64
import io
import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cli.nexus_thread import KEY, NexusThread
from nexus_async.cli.exits import CommandError, NoKeyError
from nexus_async.cli.key_file import KeyFile, StoredProject, key_file_path
from nexus_async.cli.project import choose_access

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.nexus_thread import Done


@pytest.fixture
def endpoint(nexus: NexusThread, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point commands at the local Nexus, with no key."""
    monkeypatch.setenv("DATATURE_API_BASE_URL", nexus.nexus.url)
    return nexus.nexus.url


def piped(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def kept() -> Any:
    return yaml.safe_load(key_file_path().read_text())


def encoded(key: str) -> str:
    return base64.b64encode(key.encode()).decode()


@pytest.mark.usefixtures("endpoint")
def test_login_keeps_every_project_in_the_official_clients_shape(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, f" {KEY} \nmore\n")
    done = command("login")
    assert (done.code, done.out) == (0, "")
    assert "Logged in to Local workspace: 2 projects kept in" in done.err
    assert "choose with --project" in done.err
    assert kept() == {
        "project": {
            project.id: {"project_secret": encoded(KEY), "project_name": project.name}
            for project in nexus.nexus.projects
        }
    }


@pytest.mark.usefixtures("endpoint")
def test_login_makes_a_project_the_default(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, KEY)
    assert command("login", "--project", "Others").code == 0
    assert kept()["default_project"] == nexus.nexus.projects[1].id


@pytest.mark.usefixtures("endpoint")
def test_login_keeps_what_others_wrote(command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    key_file_path().parent.mkdir()
    key_file_path().write_text(
        "project:\n  proj_x: {project_secret: a2V5, project_name: X}\ndefault_project: proj_x\nrunner: {a: 1}\n"
    )
    piped(monkeypatch, KEY)
    done = command("login")
    assert "proj_x the default" in done.err
    assert kept()["project"]["proj_x"] == {"project_secret": "a2V5", "project_name": "X"}
    assert (kept()["default_project"], kept()["runner"]) == ("proj_x", {"a": 1})


@pytest.mark.usefixtures("endpoint")
def test_nobody_but_its_owner_reads_the_file(
    command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    key_file_path().parent.mkdir()
    key_file_path().write_text("{}")
    key_file_path().chmod(0o644)
    piped(monkeypatch, KEY)
    command("login")
    assert stat.S_IMODE(key_file_path().stat().st_mode) == 0o600
    assert [file.name for file in key_file_path().parent.iterdir()] == ["config.yaml"]


@pytest.mark.usefixtures("endpoint")
def test_a_key_that_is_refused_is_not_kept(command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    piped(monkeypatch, "no-such-key-9")
    done = command("login")
    assert (done.code, "401" in done.err, "no-such-key-9" in done.err) == (4, True, False)
    assert not key_file_path().exists()


@pytest.mark.usefixtures("endpoint")
def test_without_a_key_on_standard_input_nothing_is_asked(
    command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, "\n")
    done = command("login")
    assert (done.code, done.err) == (4, "nexus-async: no secret key came on standard input: copy it from Nexus\n")


@pytest.mark.usefixtures("endpoint")
def test_what_login_kept_is_used_by_other_commands(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    piped(monkeypatch, KEY)
    command("login", "--project", "Cells")
    assert [line.split("\t")[1] for line in command("workflows", "list").lines] == ["First flow", "Second flow"]
    facts = json.loads(command("whoami", "-o", "json").out)
    assert (facts["keyFrom"], facts["project"]) == (str(key_file_path()), nexus.nexus.project_id)


@pytest.mark.usefixtures("reached")
def test_whoami_tells_the_workspace_and_never_the_key(nexus: NexusThread, command: Callable[..., Done]) -> None:
    done = command("whoami")
    facts = dict(line.split("\t") for line in done.lines)
    assert (facts["workspace"], facts["endpoint"]) == ("Local workspace", nexus.nexus.url)
    assert facts["key from"] == "the variable DATATURE_SECRET_KEY"
    assert KEY not in done.out + done.err


@pytest.mark.usefixtures("endpoint")
def test_without_a_key_the_remedy_is_told(command: Callable[..., Done]) -> None:
    done = command("whoami")
    assert done == (4, "", "nexus-async: no secret key: run nexus-async login, or set DATATURE_SECRET_KEY\n")


@pytest.mark.usefixtures("reached")
def test_without_a_project_the_choice_is_listed(
    nexus: NexusThread, command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATATURE_PROJECT")
    done = command("runs", "list")
    assert done.code == 1
    assert done.err.startswith("nexus-async: which project? Pass --project, or set DATATURE_PROJECT: there are")
    assert all(project.id in done.err for project in nexus.nexus.projects)


@pytest.mark.usefixtures("reached")
def test_the_variable_names_a_project(command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATATURE_PROJECT", "Others")
    assert "First flow" not in command("workflows", "list").out


def store(*projects: StoredProject, default: str | None = None) -> None:
    file = KeyFile()
    for project in projects:
        file.put(project)
    if default:
        file.set_default(default)
    file.save()


A, B = StoredProject("proj_a", "Apples", "key-a"), StoredProject("proj_b", "Pears", "key-b")


@pytest.mark.parametrize(
    ("wanted", "environment", "key", "project"),
    [
        (None, {}, "key-b", "proj_b"),
        ("Apples", {}, "key-a", "proj_a"),
        ("a", {}, "key-a", "proj_a"),
        (None, {"DATATURE_PROJECT": "proj_a"}, "key-a", "proj_a"),
        ("Pears", {"DATATURE_PROJECT": "proj_a"}, "key-b", "proj_b"),
        ("proj_c", {}, "key-b", "proj_c"),
        ("Apples", {"DATATURE_SECRET_KEY": "mine"}, "mine", "Apples"),
        (None, {"DATATURE_SECRET_KEY": "mine"}, "mine", "proj_b"),
    ],
)
def test_key_and_project_are_chosen(
    wanted: str | None, environment: dict[str, str], key: str, project: str
) -> None:
    store(A, B, default="proj_b")
    access = choose_access(wanted, environment)
    assert (access.secret_key, access.project) == (key, project)


def test_without_a_default_the_first_key_is_used_and_no_project_is_guessed() -> None:
    store(A, B)
    assert choose_access(None, {})[::2] == ("key-a", None)


@pytest.mark.parametrize(
    "content",
    [
        "- a list",
        "project: 7",
        "project: {proj_x: 7}",
        "project: {proj_x: {project_secret: '!'}}",
        "a: [",
        b"\xff\xfe\x00",
    ],
)
def test_a_file_that_is_none_is_told_with_the_remedy(content: str | bytes) -> None:
    key_file_path().parent.mkdir()
    key_file_path().write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(CommandError, match="is not the file that the official client writes: mend it, or move"):
        choose_access(None, {})


def test_an_empty_file_has_no_key() -> None:
    key_file_path().parent.mkdir()
    key_file_path().touch()
    with pytest.raises(NoKeyError):
        choose_access(None, {})


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    file = KeyFile(tmp_path / "folder.yaml")
    file.path = tmp_path / "file" / "config.yaml"
    with pytest.raises(CommandError, match="cannot write"):
        file.save()


def test_a_link_is_followed_and_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").touch()
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    file = KeyFile(tmp_path / "link.yaml")
    file.put(A)
    file.save()
    assert (tmp_path / "link.yaml").is_symlink()
    assert KeyFile(tmp_path / "real.yaml").projects == [A]


def test_the_file_stands_in_the_users_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert key_file_path({}) == Path.home() / ".config/datature/config.yaml"
    monkeypatch.setattr("sys.platform", "win32")
    assert key_file_path({}) == Path.home() / "AppData/Roaming/Datature/config.yaml"
