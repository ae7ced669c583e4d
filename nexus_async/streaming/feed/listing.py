"""The list of a project's runs, read again and again: decoded where it changed, and no deeper than needed."""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING, Final

import msgspec
import xxhash

from nexus_async.http.protocol import UNREADABLE
from nexus_async.models.base import Decoder
from nexus_async.models.run import Run, decode_run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nexus_async.http.throttle import Throttle

SHARE: Final = 0.1
"""Of the requests and of the bytes, what looking at the status of runs may take."""
logger = logging.getLogger("nexus_async.streaming")


class _Status(msgspec.Struct, gc=False, rename="camel"):
    overview: str
    update_date: int = 0


class _Listed(msgspec.Struct, gc=False, rename="camel"):
    id: str
    status: _Status
    log_ids: list[str] = []


class ListedRun:
    """Say of a run what following it depends on; the rest is decoded on demand."""

    __slots__ = ("_raw", "log_ids", "status", "status_date")

    def __init__(self, listed: _Listed, raw: msgspec.Raw) -> None:
        self.status = listed.status.overview
        self.status_date = listed.status.update_date
        self.log_ids = listed.log_ids
        self._raw = raw

    def run(self) -> Run | None:
        """Return the whole run; None where it is not what the API promises."""
        try:
            return decode_run(bytes(self._raw))
        except UNREADABLE as refusal:
            _warn(refusal)
            return None


class Listing:
    """Remember the last list, to tell whether the next is the same and when it is due.

    `interval` is in seconds; where lists are long they are more seldom.
    """

    def __init__(self, throttle: Throttle, *, interval: float) -> None:
        self._throttle = throttle
        self._interval = interval
        self._digest = b""
        self.size: int | None = None
        """Bytes of the last list; None before the first."""
        self.count = 0
        """Runs in it."""
        self._came_at = self._singles_at = -inf

    def read(self, body: bytes) -> Iterator[tuple[str, ListedRun]] | None:
        """Return the runs of a list and their IDs, decoded one by one; None where it is the same as the last.

        A run that makes no sense is left out: it does not hide the others. Raises `msgspec.DecodeError` where
        the body is no list.
        """
        digest = xxhash.xxh3_128_digest(body)
        if digest == self._digest:
            return None
        raws = _split(body)
        self._digest, self.size, self.count = digest, len(body), len(raws)
        return _listed(raws)

    def came(self, now: float) -> None:
        """Note that the list was answered."""
        self._came_at = now

    def is_due(self, now: float) -> bool:
        """Tell whether it is time to ask for the list again."""
        # a little before the look that it is for
        return now >= self._came_at + 0.99 * self._interval and self.may_be_asked(now)

    def may_be_asked(self, now: float) -> bool:
        """Tell whether lists would stay under their share of the requests and of the bytes."""
        throttle = self._throttle
        least = max(1 / throttle.requests_per_second, (self.size or 0) / throttle.bytes_per_second) / SHARE
        return now >= self._came_at + least

    def is_dearer(self, runs: int) -> bool:
        """Tell whether the list moves more bytes than asking for each of so many runs.

        Asking for each has its share of the requests as well.
        """
        if self.size is None:
            return True
        return runs < self.count and runs <= SHARE * self._throttle.requests_per_second * self._interval

    def singles(self, now: float) -> int:
        """Return how many runs may be asked for by themselves since the last call: their share, two at least."""
        since, self._singles_at = min(now - self._singles_at, self._interval), now
        return max(2, int(SHARE * self._throttle.requests_per_second * since))


def _listed(raws: list[msgspec.Raw]) -> Iterator[tuple[str, ListedRun]]:
    for raw in raws:
        try:
            listed = _decode(bytes(raw))
        except UNREADABLE as refusal:
            _warn(refusal)
        else:
            yield listed.id, ListedRun(listed, raw)


def _warn(refusal: Exception) -> None:
    logger.warning("a run of the list is not what the API promises: %s", refusal)


_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = Decoder(_Listed)
