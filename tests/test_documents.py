"""Every code block of the documents runs, and what they say of the code is so."""

from __future__ import annotations

import ast
import asyncio
import re
import subprocess
import sys
import textwrap
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import Client, config, decode_event, encode_event
from nexus_async.http.pool import Pool
from nexus_async.local import CurveTrainer, LocalNexus
from nexus_async.loggers import LOG_VARIABLE
from nexus_async.streaming.stores.sqlite_store import LEASE
from nexus_async.testing.connector import VirtualConnector
from nexus_async.testing.virtual_time import EPOCH

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
CHECKED = {"python", "sh", "ini", "json"}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(*languages: str) -> Iterator[Any]:
    for document in DOCUMENTS:
        for i, match in enumerate(BLOCK.finditer(document.read_text())):
            if match[1] in languages:
                yield pytest.param(match[2], id=f"{document.stem}-{i}")


def is_test(code: str) -> bool:
    return "def test_" in code or "pytest_asyncio_loop_factories" in code


def is_program(code: str) -> bool:
    return "run_in_virtual_time(main)" in code


def is_endless(code: str) -> bool:
    """Tell whether a block watches for as long as it is left alone."""
    return ".watch(" in code and not re.search(r"stop_when_all_ended|feed\.stop|break$", code, re.MULTILINE)


PYTHON = list(blocks("python"))


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "code", [p for p in PYTHON if not is_test(str(p.values[0])) and not is_program(str(p.values[0]))]
)
async def test_a_block_of_python_runs(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Pool, "_tcp_connector", lambda _: VirtualConnector())
    async with LocalNexus(CurveTrainer(steps=3, speed=100), epoch=EPOCH) as nexus:
        run = nexus.start_run(setup={"limit": {"metric": "LIM_EPOCHS", "value": 3}})
        await run.wait_over()
        names = {
            "5aa41e8ba........": nexus.secret_key,
            "proj_b705a........": nexus.project_id,
            "proj_0c11f........": nexus.projects[1].id,
            "flow_63d0f2d5fb1f9189db9b1c4b": nexus.projects[0].workflows[0].id,
            "run_63eb212ff0f856bf95085095": run.id,
            "asyncio.run(main())": "await main()",
        }
        for name, value in names.items():
            code = code.replace(name, value)
        clocked = {**(Client.__init__.__kwdefaults__ or {}), "clock": lambda: nexus.now() / 1000}
        monkeypatch.setattr(Client.__init__, "__kwdefaults__", clocked)  # its clock is virtual as well
        monkeypatch.setenv("DATATURE_SECRET_KEY", nexus.secret_key)
        monkeypatch.setenv("DATATURE_API_BASE_URL", nexus.url)
        awaited = eval(compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), {})
        if is_endless(code):
            live = nexus.start_run()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(awaited, 600)
            assert f"{live.id} Finished" in capsys.readouterr().out
        elif awaited is not None:
            await awaited


@pytest.mark.parametrize("code", [p for p in PYTHON if is_program(str(p.values[0]))])
def test_a_program_runs(code: str) -> None:
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=60)


def test_the_blocks_that_are_tests_pass(tmp_path: Path) -> None:
    tests = [str(p.values[0]) for p in PYTHON if is_test(str(p.values[0]))]
    hooks = [code for code in tests if "def test_" not in code]
    (tmp_path / "conftest.py").write_text("".join(hooks))
    [ini] = blocks("ini")
    (tmp_path / "pytest.ini").write_text(f"{ini.values[0]}filterwarnings = error\n")
    for i, code in enumerate(code for code in tests if code not in hooks):
        (tmp_path / f"test_block_{i}.py").write_text(textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", tmp_path],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert re.search(rf"^{len(tests) - len(hooks)} passed", done.stdout, re.MULTILINE), done.stdout


def test_no_block_is_of_a_language_that_nothing_checks() -> None:
    assert {match[1] for document in DOCUMENTS for match in BLOCK.finditer(document.read_text())} <= CHECKED


@pytest.mark.parametrize("text", list(blocks("json")))
def test_a_block_of_json_is_an_event_as_it_is_written(text: str) -> None:
    assert encode_event(decode_event(text)).decode() == text.strip()


@pytest.mark.parametrize("code", list(blocks("sh")))
def test_a_block_for_the_shell_says_what_can_be_done(code: str) -> None:
    for line in code.splitlines():
        check_command(line.split("#")[0].split())


@cache
def help_of(*command: str) -> str:
    asked = [sys.executable, "-m", "nexus_async", *command, "--help"]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout


def check_command(words: list[str]) -> None:
    match words:
        case ["make", target]:
            subprocess.run(["make", "-n", target], cwd=ROOT, check=True, capture_output=True)
        case ["pip", "install", what]:
            extra = re.fullmatch(r"'?\.(?:\[(\w+)\])?'?", what)
            assert extra
            extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
            assert extra[1] is None or extra[1] in extras
        case ["nexus-async", "runs" | "projects" | "workflows" as group, command, *options]:
            assert all(option in help_of(group, command) for option in options if option.startswith("--"))
        case ["nexus-async", command, *options]:
            assert all(option in help_of(command) for option in options if option.startswith("--"))
        case ["export", assignment]:
            assert assignment.split("=")[0] in {
                config.ENDPOINT_VARIABLE,
                config.SECRET_KEY_VARIABLE,
                LOG_VARIABLE,
            }
        case _:
            pytest.fail(f"nothing checks this command: {' '.join(words)}")


@pytest.mark.parametrize(("document", "rows"), [("streaming.md", 21), ("transport.md", 9)])
def test_the_table_of_defaults_is_that_of_the_code(document: str, rows: int) -> None:
    table = (ROOT / "docs" / document).read_text()
    told = dict(re.findall(r"^\| `(\w+)` \| ([\d.]+)(?: s)? \|", table, re.MULTILINE))
    assert {name: float(value) for name, value in told.items()} == {
        name: float(LEASE if name == "lease" else getattr(config, name.upper())) for name in told
    }
    assert len(told) == rows


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for document in DOCUMENTS:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_the_readme_leads_to_every_document() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)", (ROOT / "README.md").read_text()))
    assert linked == {f"docs/{document.name}" for document in (ROOT / "docs").glob("*.md")}
