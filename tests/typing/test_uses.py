"""The uses in this folder name all that is public, and type checkers find no fault with them."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parent.parent
PACKAGE = ROOT / "nexus_async"
USES = sorted(FOLDER.glob("uses_of_*.py"))

INSIDE = {"errors", "events", "logs", "models", "pacing", "streaming"}
"""What other parts of the package import from, and users reach through `nexus_async` itself."""


def public_modules() -> list[str]:
    """Give the modules that users import from: the package, and what gives out names of its own."""
    parts = [
        part for part in sorted(PACKAGE.iterdir()) if (part / "__init__.py").exists() or part.suffix == ".py"
    ]
    named = [
        part.stem
        for part in parts
        if "\n__all__ =" in (part / "__init__.py" if part.is_dir() else part).read_text()
    ]
    return ["nexus_async", *(f"nexus_async.{name}" for name in named if name not in INSIDE | {"_public"})]


def names_used(file: Path, module: str) -> set[str]:
    """Give the names that a file imports from a module, and does something with."""
    tree = ast.parse(file.read_text())
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == module]
    imported = {alias.name for node in imports for alias in node.names}
    return imported & {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("module", public_modules())
def test_every_public_name_is_used(module: str) -> None:
    used = {name for file in USES for name in names_used(file, module)}
    missing = sorted(set(import_module(module).__all__) - used)
    assert missing == [], f"show in tests/typing/uses_of_*.py how a user writes {', '.join(missing)} of {module}"


@pytest.mark.parametrize("file", USES, ids=[file.stem for file in USES])
def test_the_uses_can_be_imported(file: Path) -> None:
    assert import_module(file.stem).__doc__


def checked(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


def pyright(*options: str) -> subprocess.CompletedProcess[str]:
    return checked("basedpyright", "--pythonpath", sys.executable, "--warnings", *options)


def test_mypy_finds_no_fault() -> None:
    done = checked("mypy", "--strict", "--cache-dir=.mypy_cache/uses", *map(str, USES))
    assert done.returncode == 0, done.stdout


def test_basedpyright_finds_no_fault() -> None:
    done = pyright("--project", str(FOLDER))
    assert done.returncode == 0, done.stdout


def test_a_wrong_type_is_found_by_both(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text("from nexus_async import Client\n\nclient: int = Client('k')\n")
    assert "[assignment]" in checked("mypy", "--strict", "--cache-dir=.mypy_cache/uses", str(wrong)).stdout
    assert "reportAssignmentType" in pyright(str(wrong)).stdout
