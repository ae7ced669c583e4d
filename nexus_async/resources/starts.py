"""Which runs a start may have made whose outcome is unknown, without I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.config import CLOCK_MARGIN, START_MARGIN
from nexus_async.errors import InvalidArgumentError, OutcomeUnknownError

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from nexus_async.models.run import Run


def check_start_error(error: OutcomeUnknownError, *, project_id: str) -> None:
    """Raise `InvalidArgumentError` for what is no error of a start in that project."""
    if not isinstance(error, OutcomeUnknownError):
        raise InvalidArgumentError(f"{error!r} leaves nothing open: pass the OutcomeUnknownError of runs.start")
    if error.flow_id is None or error.sent_at is None:
        raise InvalidArgumentError(
            f"{error.method} {error.path} was to start no run: pass an OutcomeUnknownError of runs.start"
        )
    if error.project_id != project_id:
        raise InvalidArgumentError(
            f"the run was to be started in {error.project_id}, and this is {project_id}: "
            f"ask client.get_project({error.project_id!r})"
        )


def possibly_started(
    runs: Iterable[Run], error: OutcomeUnknownError, *, sent_after: float | None, known: Container[str]
) -> list[Run]:
    """Return the runs that may be the one, oldest first: of its workflow, created since it was sent, and not
    `known`.

    `sent_after` is when it was sent by the server's clock as far as that can be told now. Where the error tells
    it, it is believed but for a margin; else the margin is as wide as two clocks may well be apart.
    """
    if error.sent_after is not None:
        since = error.sent_after - START_MARGIN
    else:
        since = (sent_after or error.sent_at or 0.0) - CLOCK_MARGIN
    found = [run for run in runs if _is_of(run, error.flow_id) and _is_since(run, since)]
    return sorted((run for run in found if run.id not in known), key=lambda run: run.create_date)


def _is_of(run: Run, flow_id: str | None) -> bool:
    """Tell whether a run may be of a workflow: one that does not say which may be."""
    return run.flow_id in {flow_id, ""}


def _is_since(run: Run, since: float) -> bool:
    """Tell whether a run may have been created since: one that does not say when may have been."""
    return not run.create_date or run.create_date >= since * 1000
