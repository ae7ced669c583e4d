"""An API that does not answer: what is ridden out, for how long, and how soon it is asked again."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from nexus_async.config import MAX_OUTAGE, RETRY_AFTER_CAP
from nexus_async.errors import OutageError, RequestError
from nexus_async.http.retry import is_passing
from nexus_async.loggers import kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.streaming.shared import Shared

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 15.0
"""Seconds: how soon after an API came back its news are told, at worst."""
logger = logging.getLogger("nexus_async.streaming")


class Outage:
    """Count the failed polls in a row of one that asks. All times are seconds on one clock."""

    def __init__(self, shared: Shared, *, longest: float = MAX_OUTAGE) -> None:
        self._shared = shared
        self._longest = longest
        self._since: float | None = None
        self._failures = 0

    def over(self) -> None:
        """Note a poll that was answered."""
        self._since, self._failures = None, 0

    def note(
        self, error: RequestError, now: float, *, run_id: str | None = None, cursor: str | None = None
    ) -> float:
        """Note a failed poll, and return the seconds to wait for before the next.

        Raises `error` where it will not pass, and where the outage lasts too long an `OutageError` with the
        run and the cursor that are given.
        """
        if not is_passing(error):
            raise error
        self._failures += 1
        self._since = now if self._since is None else self._since
        if now - self._since >= self._longest:
            raise OutageError(seconds=now - self._since, reason=error, run_id=run_id, cursor=cursor) from error
        pause = pause_for(error, self._failures, self._shared.jitter)
        pause = min(pause, self._since + self._longest - now)
        logger.info("%s: %s, again in %.2f s", run_id or "what is waited for", kind_of(error), pause)
        return pause


def pause_for(error: RequestError, failures: int, jitter: Callable[[float], float]) -> float:
    """Return the seconds to wait for after so many failures in a row, at least what the last one asks for.

    No more than `RETRY_AFTER_CAP` is asked for with effect.
    """
    asked = min(getattr(error, "retry_after", None) or 0.0, RETRY_AFTER_CAP)
    return max(pause_after(failures, jitter), asked)


def pause_after(failures: int, jitter: Callable[[float], float]) -> float:
    """Return the seconds to wait for after so many failures in a row.

    Half of it is jitter, so that those who lost an API do not come back all at once.
    """
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures - 1, 10))
    return pause / 2 + jitter(pause / 2)
