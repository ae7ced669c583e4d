"""What holds a feed and is held by what the feed calls is freed with it: no circle is out of the collector's sight."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING
from weakref import ref

import pytest
from faulty_nexus import FaultyNexus

from nexus_async import FixedInterval
from nexus_async.testing import client_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from weakref import ReferenceType

    from nexus_async import Feed
    from nexus_async.pacing import ServerClock

pytestmark = pytest.mark.virtual_time
EVERY_5_S = FixedInterval(5.0, jitter=0.0)


class Application:
    """Hold a feed, and be held by what its client and its pacing call."""

    feed: Feed

    def note(self, _: object) -> None:
        """Be told of an attempt."""

    def for_run(self, _: ServerClock) -> Application:
        return self

    def seen(self, previous_poll: float, poll: float, times: Sequence[float], /) -> None:
        """Learn nothing."""

    def next_poll(self, poll: float, /) -> float:
        return poll + 5


async def use(nexus: FaultyNexus, *, is_hook: bool, is_pacing: bool) -> ReferenceType[Application]:
    application = Application()
    options = {"on_attempt": application.note} if is_hook else {}
    async with client_for(nexus, **options) as client:
        runs = client.get_project(nexus.project_id).runs
        async with runs.watch(pacing=application if is_pacing else EVERY_5_S) as application.feed:
            await anext(application.feed)
    assert application.feed.stats().runs
    return ref(application)


@pytest.mark.parametrize("holder", ["hook", "pacing", "nothing"])
async def test_an_application_that_holds_its_feed_is_freed_with_it(holder: str) -> None:
    async with FaultyNexus() as nexus:
        nexus.start_run().begin()
        application = await use(nexus, is_hook=holder == "hook", is_pacing=holder == "pacing")
    gc.collect()
    assert application() is None
