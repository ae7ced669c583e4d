"""What a client did so far, and what it may do now."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from nexus_async.http.budget import RetryBudget
    from nexus_async.http.throttle import Throttle


class ClientStats(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Count what a client did, and tell what its throttle allows at this moment.

    The first four and the last are the client's own; the others are its throttle's, and so of all who share it.
    """

    calls: int
    """Users' own calls, whatever came of them."""
    polls: int
    """What streams, feeds and waits asked for, each in a single attempt."""
    attempts: int
    """Those of calls and polls together."""
    retries: int
    """Attempts after the first of a call, or of a poll whose secret key was renewed."""
    rate_limited: int
    """Answers of 429."""
    received: int
    """Bytes of the bodies that came, of requests that have ended."""
    in_flight: int
    """Requests under way."""
    waiting: int
    """Calls and polls that wait for their turn."""
    requests_left: float
    """Requests that may be sent at once; 0 while a 429 holds all back."""
    bytes_left: float
    """Bytes that polls may bring before others of them wait; 0 while they do."""
    retries_left: float
    """Retries that the client's own retry budget allows now."""


class Counts:
    """Count what a client does while it does it."""

    __slots__ = ("calls", "polls", "retries")

    def __init__(self) -> None:
        self.calls = self.polls = self.retries = 0

    def stats(self, throttle: Throttle, budget: RetryBudget) -> ClientStats:
        """Return what was counted so far, beside what the throttle and the retry budget say."""
        return ClientStats(
            calls=self.calls,
            polls=self.polls,
            attempts=self.calls + self.polls + self.retries,
            retries=self.retries,
            rate_limited=throttle.rate_limited,
            received=throttle.received,
            in_flight=throttle.in_flight,
            waiting=throttle.waiting,
            requests_left=throttle.requests_left,
            bytes_left=throttle.bytes_left,
            retries_left=budget.left,
        )
