"""One feed for many subscribers."""

from nexus_async.streaming.hub.hub import Hub
from nexus_async.streaming.hub.ring import HubStats
from nexus_async.streaming.hub.subscription import Subscription

__all__ = ["Hub", "HubStats", "Subscription"]
