"""The list of a project's runs, read again and again: decoded where it changed, and no deeper than needed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import msgspec
import xxhash

from nexus_async.http.protocol import UNREADABLE
from nexus_async.models.base import Decoder
from nexus_async.models.run import Run, decode_run

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Remember the last list, to tell whether the next is the same."""

    def __init__(self) -> None:
        self._digest = b""
        self.size: int | None = None
        """Bytes of the last list; None before the first."""
        self.count = 0
        """Runs in it."""

    def read(self, body: bytes) -> Mapping[str, ListedRun] | None:
        """Return the runs of a list by their IDs; None where it is the same as the last.

        A run that makes no sense is left out: it does not hide the others. Raises `msgspec.DecodeError` where
        the body is no list.
        """
        digest = xxhash.xxh3_128_digest(body)
        if digest == self._digest:
            return None
        runs = {}
        for raw in _split(body):
            try:
                listed = _decode(bytes(raw))
            except UNREADABLE as refusal:
                _warn(refusal)
            else:
                runs[listed.id] = ListedRun(listed, raw)
        self._digest, self.size, self.count = digest, len(body), len(runs)
        return runs


def _warn(refusal: Exception) -> None:
    logger.warning("a run of the list is not what the API promises: %s", refusal)


_split = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode = Decoder(_Listed)
