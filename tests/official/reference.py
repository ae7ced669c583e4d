"""The public reference's examples: read, corrected, and made asynchronous.

Two of their names are wrong there. `datature.runs` is the name of nothing, and is corrected to `project.runs`.
`run["logs"]` names no attribute of the official client, which reads it as None; here it is another name of
`log_ids`, so that the example works as it is written.

Beside that correction an example is changed in three mechanical ways: the import is this package's, calls on
`project.runs` and `project.workflows` are awaited, and `async with project` closes the client at the end.
"""

from __future__ import annotations

import ast
from collections.abc import Awaitable, Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from .callers import ROOT

FILE = Path("..", "shared", "nexus-runs-reference.txt")
FIRST_LINE = "from datature.nexus import Client"
RESOURCES = {"runs", "workflows"}

Example = Callable[[], Awaitable[Any]]


class Snippet(NamedTuple):
    title: str
    """Its section, and what the reference says above it where it says something."""
    code: str


def read_reference() -> str:
    path = ROOT / FILE
    if not path.exists():
        pytest.skip(
            f"NOT CHECKED: save the public reference of the run operations as {FILE} beside this repository"
        )
    return path.read_text(encoding="utf-8")


def snippets(text: str) -> Iterator[Snippet]:
    """Yield every example in order; a section begins with its name on two lines."""
    lines = text.splitlines()
    starts = [
        i for i, (line, following) in enumerate(pairwise(lines)) if line == following and line.isidentifier()
    ]
    for start, end in pairwise([*starts, len(lines)]):
        section = lines[start + 2 : end]
        yield from _snippets_of(lines[start], section[section.index("Examples") + 1 :])


def _snippets_of(section: str, lines: list[str]) -> Iterator[Snippet]:
    title, code = section, list[str]()
    for line in [*lines, "- "]:
        if not line.startswith(("- ", "Updated ")):
            code.append(line)
            continue
        if code:
            yield Snippet(title, "\n".join(code))
        title, code = f"{section}: {line.removeprefix('- ').rstrip(':')}", []


def as_coroutine(snippet: Snippet, stand_ins: Mapping[str, str]) -> Example:
    """Compile an example into a coroutine function that returns its last value.

    `stand_ins` has, for each ID and key of the reference, the one to use in its place.
    """
    module = ast.parse(snippet.code, snippet.title)
    first, project, *rest = (_Asynchronous(stand_ins).visit(statement) for statement in module.body)
    wrapped = ast.parse("async def example():\n async with project:\n  pass").body[0]
    assert isinstance(wrapped, ast.AsyncFunctionDef)
    closing = wrapped.body[0]
    assert isinstance(closing, ast.AsyncWith)
    closing.body = [*rest[:-1], ast.Return(rest[-1].value)]
    wrapped.body = [first, project, closing]
    scope: dict[str, Any] = {}
    exec(compile(ast.unparse(wrapped), snippet.title, "exec"), scope)
    example: Example = scope["example"]
    return example


class _Asynchronous(ast.NodeTransformer):
    def __init__(self, stand_ins: Mapping[str, str]) -> None:
        self._stand_ins = stand_ins

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom:
        assert node.module == "datature.nexus"
        return ast.ImportFrom("nexus_async", node.names, 0)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name("project", node.ctx) if node.id == "datature" else node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(
            self._stand_ins.get(node.value, node.value) if isinstance(node.value, str) else node.value
        )

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(value=ast.Attribute(value=ast.Name(id="project"), attr=resource)):
                assert resource in RESOURCES
                return ast.Await(node)
        return node
