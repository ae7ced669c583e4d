"""What the package gives out: the names, their documentation, and what asking for them costs."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import nexus_async
from nexus_async import _public

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(nexus_async.__file__).parent
SUBPACKAGES = [
    f"nexus_async.{folder.name}"
    for folder in sorted(PACKAGE.iterdir())
    if (folder / "__init__.py").exists() and "__all__" in (folder / "__init__.py").read_text()
]
EXTRAS = {
    "rich",
    "cyclopts",
    "sklearn",
    "numpy",
    "pytest",
    "async_solipsism",
    "nats",
    "mlflow",
    "aiohttp_sse",
    "opentelemetry",
    "uvloop",
}
each_subpackage = pytest.mark.parametrize("name", SUBPACKAGES)


def names_imported_by(source: str) -> set[str]:
    """Give the names that the imports at a module's top bind, but for those of the language."""
    nodes = [node for node in ast.parse(source).body if isinstance(node, ast.ImportFrom)]
    own = [node for node in nodes if str(node.module).startswith("nexus_async")]
    return {alias.asname or alias.name for node in own for alias in node.names}


def is_class_or_function(name: str) -> bool:
    value = getattr(nexus_async, name)
    return inspect.isclass(value) or inspect.isroutine(value)


each_documented = pytest.mark.parametrize(
    "name", [name for name in nexus_async.__all__ if is_class_or_function(name)]
)


def public_members(kind: type) -> Iterator[tuple[str, Any]]:
    """Give the public methods and properties that this package defines for a class."""
    for owner in kind.__mro__:
        if owner.__module__.startswith("nexus_async"):
            for name, member in vars(owner).items():
                if not name.startswith("_") and (inspect.isroutine(member) or isinstance(member, property)):
                    yield name, member


def modules_after(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_public_names_are_sorted() -> None:
    assert list(nexus_async.__all__) == sorted(nexus_async.__all__)


def test_the_public_names_are_what_is_imported_for_them() -> None:
    assert set(nexus_async.__all__) == names_imported_by(Path(_public.__file__).read_text())


def test_each_public_name_is_given_out() -> None:
    for name in nexus_async.__all__:
        assert getattr(nexus_async, name) is getattr(_public, name)


def test_dir_shows_every_public_name() -> None:
    assert set(nexus_async.__all__) <= set(dir(nexus_async))


def test_a_star_import_binds_the_public_names() -> None:
    bound: dict[str, object] = {}
    exec("from nexus_async import *", bound)
    assert set(bound) - {"__builtins__"} == set(nexus_async.__all__)


@pytest.mark.parametrize("name", ["Clients", "client_", "_client", "_public_", "__path", "import_module_"])
def test_a_wrong_name_is_an_attribute_error_that_names_it(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'nexus_async' has no attribute '{name}'"):
        getattr(nexus_async, name)


def test_importing_a_wrong_name_is_an_import_error() -> None:
    with pytest.raises(ImportError, match="Clients"):
        exec("from nexus_async import Clients")


def test_the_version_is_that_of_the_distribution() -> None:
    assert nexus_async.__version__ == metadata.version("nexus-async")


@each_documented
def test_a_public_name_is_documented(name: str) -> None:
    value = getattr(nexus_async, name)
    assert vars(value).get("__doc__") if inspect.isclass(value) else inspect.getdoc(value)


@each_documented
def test_the_public_members_of_a_public_name_are_documented(name: str) -> None:
    value = getattr(nexus_async, name)
    members = public_members(value) if inspect.isclass(value) else ()
    assert [member for member, function in members if not inspect.getdoc(function)] == []


def test_every_error_of_this_package_is_public() -> None:
    from nexus_async import errors

    made = {name for name, value in vars(errors).items() if inspect.isclass(value) and name.endswith("Error")}
    assert made <= set(nexus_async.__all__)


def test_no_error_shadows_one_of_the_language() -> None:
    import builtins

    assert not {name for name in nexus_async.__all__ if hasattr(builtins, name)}


@each_subpackage
def test_the_names_of_a_subpackage_are_sorted(name: str) -> None:
    names = import_module(name).__all__
    assert list(names) == sorted(names)


@each_subpackage
def test_the_names_of_a_subpackage_are_what_it_imports(name: str) -> None:
    module = import_module(name)
    assert set(module.__all__) == names_imported_by(Path(str(module.__file__)).read_text())


@each_subpackage
def test_each_name_of_a_subpackage_is_there(name: str) -> None:
    module = import_module(name)
    assert [wanted for wanted in module.__all__ if not hasattr(module, wanted)] == []


def test_importing_the_package_costs_nothing() -> None:
    loaded = modules_after("import nexus_async")
    assert {name for name in loaded if name.startswith("nexus_async")} == {"nexus_async"}
    assert not loaded & ({"aiohttp", "msgspec", "asyncio", "anyio"} | EXTRAS)


def test_importing_the_client_loads_no_extra_and_nothing_beside_it() -> None:
    loaded = modules_after("from nexus_async import Client")
    beside = {"nexus_async.cli", "nexus_async.local", "nexus_async.testing", "nexus_async.dashboard"}
    assert not loaded & (beside | EXTRAS)


def test_importing_the_local_server_loads_nothing_of_the_client() -> None:
    loaded = {name for name in modules_after("import nexus_async.local") if name.startswith("nexus_async")}
    assert {name for name in loaded if not name.startswith("nexus_async.local")} == {"nexus_async"}
    assert not loaded & EXTRAS


RESOURCES = [
    kind
    for file in sorted((PACKAGE / "resources").glob("[!_]*.py"))
    for kind in vars(import_module(f"nexus_async.resources.{file.stem}")).values()
    if inspect.isclass(kind) and kind.__module__ == f"nexus_async.resources.{file.stem}"
]


@pytest.mark.parametrize("kind", RESOURCES, ids=lambda kind: kind.__name__)
def test_what_a_project_gives_out_is_documented(kind: type) -> None:
    assert vars(kind).get("__doc__")
    assert [name for name, member in public_members(kind) if not inspect.getdoc(member)] == []


def test_importing_the_pytest_plugin_loads_neither_the_wire_nor_the_models() -> None:
    loaded = modules_after("import nexus_async.testing.plugin")
    assert not loaded & {"aiohttp", "msgspec", "nexus_async.local", "nexus_async.client", "nexus_async._public"}
