"""A store of one's own that lacks something: told by name, where it is given and by `check_store`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import ConfigurationError, MemoryStore, Store
from nexus_async.streaming.stores.store import ATTRIBUTES, METHODS, missing_of
from nexus_async.testing import check_store

if TYPE_CHECKING:
    from nexus_async import Project


def without(*names: str) -> Any:
    """Return a store that lacks some of its members."""
    whole = MemoryStore()
    members = {name: getattr(whole, name) for name in (*METHODS, *ATTRIBUTES) if name not in names}
    return type("OwnStore", (), {**members, "__repr__": lambda _: "OwnStore()"})()


@pytest.mark.parametrize("name", ["open", "load", "save", "aclose", "keeps_events", "lease"])
def test_a_store_that_lacks_something_is_refused_by_the_name_of_it(project: Project, name: str) -> None:
    with pytest.raises(ConfigurationError, match=rf"OwnStore\(\) is no whole Store, it lacks {name}: see"):
        project.runs.watch(store=without(name))


def test_all_that_is_lacking_is_named_at_once(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="it lacks open, aclose, lease:"):
        project.runs.watch(store=without("lease", "aclose", "open"))


def test_a_whole_store_is_taken(project: Project) -> None:
    assert project.runs.watch(store=without()) is not None


def test_a_class_in_place_of_a_store_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="MemoryStore'> is a class: pass a store that was made of it"):
        project.runs.watch(store=MemoryStore)  # type: ignore[arg-type]  # what the test is about


def test_what_is_no_store_at_all_is_refused(project: Project) -> None:
    with pytest.raises(ConfigurationError, match="store=7 is neither a Store nor the path of one"):
        project.runs.watch(store=7)  # type: ignore[arg-type]  # what the test is about


async def test_check_store_names_what_is_lacking_before_anything_else() -> None:
    with pytest.raises(
        AssertionError, match=r"all that the protocol `Store` names; here, OwnStore\(\) lacks save"
    ):
        await check_store(lambda: without("save"))


def test_the_names_are_those_of_the_protocol() -> None:
    named = {name for name in vars(Store) if not name.startswith("_")}
    assert named == {*METHODS, *ATTRIBUTES}
    assert missing_of(MemoryStore()) == []
