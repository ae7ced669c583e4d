"""What the probes share: the wire, what they found so far, and how a probe that fails is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from nexus_async.doctor.anonymous import word
from nexus_async.doctor.entries import EntryTally
from nexus_async.doctor.report import Finding, broken
from nexus_async.doctor.tally import Tally
from nexus_async.errors import InvalidArgumentError, RequestError
from nexus_async.http.protocol import path_of
from nexus_async.models.run import TERMINAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.doctor.wire import Wire

WORKSPACE: Final = "/workspace"
PROJECTS: Final = "/workspace/projects"
PROJECT: Final = "/projects/{project}"
RUNS: Final = "/projects/{project}/runs"
RUN: Final = "/projects/{project}/runs/{run}"
LOG: Final = "/projects/{project}/runs/logs/{log}"
MATRIX: Final = "/projects/{project}/runs/{run}/confusionMatrix"


@dataclass(frozen=True)
class KnownRun:
    """Hold what a look at a run needs, read from whatever shape the answer has."""

    project_id: str
    id: str
    status: str
    update_date: float
    """Milliseconds since the Unix epoch; 0 where there is none."""
    log_ids: tuple[str, ...]

    @property
    def is_over(self) -> bool:
        """Tell whether its status ends a run."""
        return self.status in TERMINAL


@dataclass
class Case:
    """Hold what is looked at, and what was found."""

    wire: Wire
    wanted: str | None
    """The ID or the name of the one project to look into; None for those of the workspace."""
    wait: float
    """Seconds between two looks at an active run."""
    say: Callable[[str], None]
    """Tell the user what takes its time."""
    projects: list[str] = field(default_factory=list)
    runs: list[KnownRun] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    entries: EntryTally = field(default_factory=EntryTally)

    async def ask(
        self, route: str, *ids: str, shape: Any, decode: Callable[[bytes], object]
    ) -> tuple[Any, list[Finding]]:
        """Return the JSON at a route, compared with its model, or None and what to say of the failure."""
        try:
            body = await self.wire.get(route, *ids)
        except RequestError as error:
            return None, [broken(self.wire.told(error, route))]
        return self.tally.take(body, shape, decode, route=route), []


def run_of(project_id: str, value: Any) -> KnownRun | None:
    """Read a run from decoded JSON; None for what has no ID that can be asked for."""
    if not isinstance(value, dict) or not is_id(value.get("id")):
        return None
    status, logs, updated = value.get("status"), value.get("logIds"), value.get("updateDate")
    overview = status.get("overview") if isinstance(status, dict) else None
    return KnownRun(
        project_id=project_id,
        id=value["id"],
        status=word(overview) if isinstance(overview, str) else "",
        update_date=updated if isinstance(updated, (int, float)) else 0,
        log_ids=tuple(log for log in logs if is_id(log)) if isinstance(logs, list) else (),
    )


def is_id(value: Any) -> bool:
    """Tell whether something that came as an ID can be asked for."""
    try:
        return bool(path_of(value))
    except InvalidArgumentError:
        return False
