"""What the package is built like: imports point down only, files stay short, and few know aiohttp."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nexus_async

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(nexus_async.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 300

FLOORS = (
    ("__init__", "__main__", "_public"),
    ("cli",),
    ("doctor",),
    ("dashboard",),
    ("cluster",),
    ("automation",),
    ("testing",),
    ("sinks",),
    ("otel",),
    ("client",),
    ("resources",),
    ("streaming",),
    ("logs",),
    ("pacing",),
    ("http",),
    ("events",),
    ("models",),
    ("loggers",),
    ("config", "errors"),
    ("local",),
)
"""The parts of the package from the top down: a part imports from its own floor and from those below."""

RANK = {part: rank for rank, floor in enumerate(FLOORS) for part in floor}
KNOWS_AIOHTTP = {
    "dashboard/dashboard.py",
    "dashboard/routes.py",
    "http/aiohttp_transport.py",
    "http/failures.py",
    "http/pool.py",
    "http/sending.py",
    "http/unpacking.py",
    "testing/connector.py",
}

each_file = pytest.mark.parametrize("file", FILES, ids=[str(file.relative_to(PACKAGE)) for file in FILES])


def part_of(file: Path) -> str:
    """Name the part that a file belongs to: a folder, or a file at the top."""
    inside = file.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


def imports_of(tree: ast.AST) -> Iterator[str]:
    """Give the dotted names that are imported anywhere in `tree`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parts_imported(file: Path) -> set[str]:
    """Give the parts that a file imports from; a name of the package itself comes from its public names."""
    names = [name.split(".") for name in imports_of(ast.parse(file.read_text()))]
    own = [name[1] if len(name) > 1 else "_public" for name in names if name[0] == "nexus_async"]
    return {part if part in RANK else "_public" for part in own}


def imports_at_run_time(tree: ast.Module) -> set[str]:
    """Give the packages that are imported outside of `if TYPE_CHECKING`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return {name.partition(".")[0] for name in imports_of(tree)}


def test_every_part_of_the_package_has_its_floor() -> None:
    assert {part_of(file) for file in FILES} <= set(RANK)


@each_file
def test_imports_point_down_only(file: Path) -> None:
    upward = {part for part in parts_imported(file) if RANK[part] < RANK[part_of(file)]}
    assert not upward, f"{part_of(file)} stands below {', '.join(sorted(upward))}"


@each_file
def test_a_part_imports_no_other_of_its_floor_but_at_the_ends(file: Path) -> None:
    part = part_of(file)
    beside = {other for other in parts_imported(file) if RANK[other] == RANK[part] and other != part}
    assert beside <= {"errors", "_public"}


def test_the_local_server_imports_nothing_of_the_client() -> None:
    found = {part for file in FILES if part_of(file) == "local" for part in parts_imported(file)}
    assert found == {"local"}


def test_nothing_but_what_serves_it_imports_the_local_server() -> None:
    users = {part_of(file) for file in FILES if "local" in parts_imported(file)}
    assert users <= {"local", "testing", "cli"}


@each_file
def test_no_file_is_longer_than_a_reader_takes_in(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST


@each_file
def test_only_the_wire_and_the_local_server_know_aiohttp(file: Path) -> None:
    name = file.relative_to(PACKAGE).as_posix()
    if name not in KNOWS_AIOHTTP and part_of(file) != "local":
        assert "aiohttp" not in imports_at_run_time(ast.parse(file.read_text()))


@pytest.mark.parametrize("part", ["logs", "pacing"])
def test_what_is_pure_imports_nothing_that_waits_or_sends(part: str) -> None:
    for file in FILES:
        if part_of(file) == part:
            found = imports_at_run_time(ast.parse(file.read_text()))
            assert not found & {"aiohttp", "socket", "ssl", "sqlite3", "threading"}, file.name


@each_file
def test_annotations_are_not_evaluated_where_there_are_definitions(file: Path) -> None:
    tree = ast.parse(file.read_text())
    defines = any(isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) for node in tree.body)
    if defines and file != PACKAGE / "__init__.py":
        assert "__future__.annotations" in set(imports_of(tree))


@each_file
def test_a_file_says_what_it_is(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


@each_file
def test_a_logger_has_the_name_of_its_part(file: Path) -> None:
    names = set(re.findall(r"getLogger\((.+?)\)", file.read_text()))
    assert part_of(file) == "loggers" or names <= {f'"nexus_async.{part_of(file)}"'}


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").exists()
