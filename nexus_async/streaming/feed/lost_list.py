"""A list of runs that fails for long, while single runs and logs may answer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from nexus_async.errors import RateLimitedError
from nexus_async.loggers import kind_of
from nexus_async.streaming.feed.connection import is_refusal

if TYPE_CHECKING:
    from nexus_async.errors import RequestError

FAILURES: Final = 3
"""Looks in a row at the list that failed before runs are asked for by themselves: two may be an accident."""
logger = logging.getLogger("nexus_async.streaming")


class LostList:
    """Count the looks at a project's list that failed in a row; warn when it is lost, and when it is back."""

    def __init__(self, project_id: str) -> None:
        self._project_id = project_id
        self._failures = 0

    @property
    def is_lost(self) -> bool:
        """Tell whether the list is not to be waited for."""
        return self._failures >= FAILURES

    def failed(self, error: RequestError) -> None:
        """Note a look that failed. A refusal is the project's end, and a 429 slows all down: neither counts."""
        if is_refusal(error) or isinstance(error, RateLimitedError):
            return
        self._failures += 1
        if self._failures == FAILURES:
            logger.warning(
                "the list of %s fails, runs are looked at singly: %s", self._project_id, kind_of(error)
            )

    def answered(self) -> None:
        """Note a look that was answered."""
        if self.is_lost:
            logger.warning("the list of %s answers again", self._project_id)
        self._failures = 0
