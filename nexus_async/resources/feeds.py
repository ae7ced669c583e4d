"""Making a feed of what a user asks for."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any

from nexus_async.errors import ConfigurationError
from nexus_async.models.run import check_run_id
from nexus_async.pacing import Adaptive, Pacing
from nexus_async.streaming import Feed, SQLiteStore, Store, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    if isinstance(cursors, str):
        raise ConfigurationError("cursors is one token: pass a list of tokens, or a mapping of runs to them")
    return Feed(
        watchables,
        run_ids=None if run_ids is None else _checked(run_ids),
        cursors=cursors.values() if isinstance(cursors, Mapping) else cursors or (),
        store=SQLiteStore(store) if isinstance(store, (str, PathLike)) else store,
        terms=Terms(**terms, pacing=Adaptive() if pacing is None else pacing),
    )


def _checked(run_ids: Iterable[str]) -> list[str]:
    checked = [run_ids] if isinstance(run_ids, str) else list(run_ids)
    for run_id in checked:
        check_run_id(run_id)
    return checked
