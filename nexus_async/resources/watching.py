"""Feeds over projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime  # noqa: TC003 - part of the public signatures
from os import PathLike  # noqa: TC003 - part of the public signatures
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from nexus_async.errors import InvalidArgumentError
from nexus_async.models.run import Run  # noqa: TC001 - part of the public signatures
from nexus_async.pacing import Pacing  # noqa: TC001 - part of the public signatures
from nexus_async.resources.feeds import feed_over
from nexus_async.streaming import Feed, Store  # noqa: TC001 - part of the public signatures

if TYPE_CHECKING:
    from nexus_async.resources.project import Project


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
    for _, project in labelled:
        if not hasattr(project, "runs"):
            raise InvalidArgumentError(f"{project!r} is no project: pass what client.get_project returns")
    ids = [project.id for _, project in labelled]
    if not ids:
        raise InvalidArgumentError("no project to watch: pass what client.get_project returns")
    if len(set(ids)) < len(ids):
        raise InvalidArgumentError(f"a project can be watched once in a feed: {', '.join(sorted(ids))}")
    return feed_over([project.runs.watchable(label) for label, project in labelled], **options)
