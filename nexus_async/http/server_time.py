"""What the server's clock says, as far as its answers told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.http.protocol import date_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class ServerTime:
    """Remember the last answer that came. `clock` gives the client's time, in seconds since the Unix epoch."""

    __slots__ = ("_at", "_clock", "_headers")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._headers: Mapping[str, str] = {}
        self._at = 0.0

    def note(self, headers: Mapping[str, str]) -> None:
        """Take the head of an answer that just came. It is read when it is asked for, which is seldom."""
        self._headers, self._at = headers, self._clock()

    def at(self, time: float) -> float | None:
        """Return the server's time at a time of the client's, or somewhat sooner; None where it is unknown.

        Never later, where both clocks go on: an answer tells when it was made, which is before it came, and its
        whole seconds are rounded down (RFC 9110, section 6.6.1).
        """
        told = date_of(self._headers)
        return None if told is None else told + time - self._at
