"""Making a feed of what a user asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from nexus_async.errors import ConfigurationError, InvalidArgumentError
from nexus_async.logs import Cursor
from nexus_async.models.run import check_run_id
from nexus_async.pacing import Adaptive, Pacing
from nexus_async.streaming import Feed, SQLiteStore, Store, Terms
from nexus_async.streaming.stores.store import missing_of

if TYPE_CHECKING:
    from nexus_async.streaming import Watchable


def feed_over(
    watchables: Iterable[Watchable],
    run_ids: Iterable[str] | None = None,
    *,
    cursors: Iterable[str] | Mapping[str, str] | None = None,
    store: Store | str | PathLike[str] | None = None,
    pacing: Pacing | None = None,
    **terms: Any,
) -> Feed:
    """Make a feed over what can be watched; `terms` are the other options of `runs.watch`."""
    return Feed(
        watchables,
        run_ids=None if run_ids is None else _checked(run_ids),
        cursors=_tokens(cursors),
        store=_store(store),
        terms=Terms(**terms, pacing=Adaptive() if pacing is None else pacing),
    )


def _tokens(cursors: Iterable[str] | Mapping[str, str] | None) -> Iterable[str]:
    if isinstance(cursors, Mapping):
        for run_id, token in cursors.items():
            Cursor.parse(token, run_id=run_id)
        return cursors.values()
    if isinstance(cursors, str):
        raise ConfigurationError("cursors is one token: pass a list of tokens, or a mapping of runs to them")
    if cursors is not None and not isinstance(cursors, Iterable):
        raise ConfigurationError(f"cursors={cursors!r} is neither a list of tokens nor a mapping of runs to them")
    return cursors or ()


def _store(store: Store | str | PathLike[str] | None) -> Store | None:
    if isinstance(store, (str, PathLike)):
        return SQLiteStore(store)
    if store is None:
        return None
    if isinstance(store, type):
        raise ConfigurationError(f"store={store!r} is a class: pass a store that was made of it")
    lacks = missing_of(store)
    if "save" in lacks and "load" in lacks:
        raise ConfigurationError(f"store={store!r} is neither a Store nor the path of one")
    if lacks:
        raise ConfigurationError(
            f"store={store!r} is no whole Store, it lacks {', '.join(lacks)}: see the protocol `Store`"
        )
    return store


def _checked(run_ids: Iterable[str]) -> list[str]:
    if not isinstance(run_ids, Iterable):
        raise InvalidArgumentError(f"run_ids={run_ids!r} are no runs' IDs: pass one, or a list of them")
    checked = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    for run_id in checked:
        check_run_id(run_id)
    return checked
