"""How a feed is doing."""

from __future__ import annotations

import msgspec


class RunStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell how following one run is doing."""

    project_id: str
    status: str | None
    """As last seen."""
    cursor: str | None
    """The token that resumes after what was handled of it; None where nothing was."""
    lag: float | None
    """Seconds by which its newest entry was old when it was read; None before the first."""
    last_poll: float | None
    """When it was last polled with success, in seconds since the Unix epoch by this machine's clock."""
    errors: int
    """Polls in a row that failed."""
    log_bytes: int
    """Bytes of its logs that were read, as they are uncompressed."""


class FeedStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tell how a feed is doing; rates are averages over the last half minute or so."""

    runs: dict[str, RunStats]
    """The runs that are followed, by their IDs."""
    requests_per_second: float
    """Polls that were answered."""
    bytes_per_second: float
    """What they brought, as it came over the wire."""
    polls: int
    """Polls that were answered so far."""
    wasted_polls: int
    """Those of them that brought nothing new of a log."""
    failed_polls: int
    """Polls that were not answered, or not as the API promises."""
    rate_limited: int
    """Those of them that were answered with 429."""
    failed_looks: int
    """Looks at a list of runs, or at the status of a single one, that were not answered as the API promises."""
    queued: int
    """Events that are read and not handed out yet."""
