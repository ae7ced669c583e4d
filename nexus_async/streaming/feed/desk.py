"""What all polls of one client for a feed have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nexus_async.streaming.drain import Drain

if TYPE_CHECKING:
    from nexus_async.streaming.feed.outlet import Outlet
    from nexus_async.streaming.feed.terms import Terms
    from nexus_async.streaming.shared import Shared


@dataclass(frozen=True)
class Desk:
    """Hold where events go, what the client shares, and on what terms it is followed."""

    outlet: Outlet
    shared: Shared
    terms: Terms
    decoding: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the one poll that decodes in this turn of the loop: many slices in one would hold up all others."""

    def new_drain(self) -> Drain:
        """Return the drain of one more run that ended."""
        return Drain(settle=self.terms.settle, drain_timeout=self.terms.drain_timeout)
