"""Feeds over projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime  # noqa: TC003 - part of the public signatures
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from nexus_async.errors import ConfigurationError, InvalidArgumentError
from nexus_async.models.run import Run, check_run_id
from nexus_async.pacing import Adaptive, Pacing
from nexus_async.streaming import Feed, SQLiteStore, Store, Terms

if TYPE_CHECKING:
    from nexus_async.resources.project import Project
    from nexus_async.streaming import Watchable


class WatchOptions(TypedDict, total=False):
    """The keyword arguments of `runs.watch` and of `nexus_async.watch`, which `runs.watch` describes."""

    include_ended: bool
    start: Literal["earliest", "latest"]
    since: float | datetime | None
    tail: int | None
    where: Callable[[Run], bool] | None
    cursors: Iterable[str] | Mapping[str, str] | None
    store: Store | str | PathLike[str] | None
    ack: Literal["auto", "manual"]
    buffer: int
    stop_when_all_ended: bool
    caught_up: bool
    pacing: Pacing | None
    discovery_interval: float
    settle: float
    drain_timeout: float


def watch(*projects: Project | Mapping[str, Project], **options: Unpack[WatchOptions]) -> Feed:
    """Watch several projects in one feed, of one client or of several with keys of their own.

    `watch({"vision": project_a, "line 3": project_b})` puts the labels on the events. The options are those of
    `runs.watch`. Where a secret key does not reach a project any more, `ProjectUnavailable` tells so, and the
    others go on.

    Raises `InvalidArgumentError` for no project, or for one that is there twice.
    """
    labelled = [
        (label, project)
        for each in projects
        for label, project in (each.items() if isinstance(each, Mapping) else [(None, each)])
    ]
    ids = [project.id for _, project in labelled]
    if not ids:
        raise InvalidArgumentError("no project to watch: pass what client.get_project returns")
    if len(set(ids)) < len(ids):
        raise InvalidArgumentError(f"a project can be watched once in a feed: {', '.join(sorted(ids))}")
    return feed_over([project.runs.watchable(label) for label, project in labelled], **options)


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
