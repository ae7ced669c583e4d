"""Events as server-sent ones, for browsers' `EventSource`
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.events import encode_event

if TYPE_CHECKING:
    from nexus_async.events import Event

RETRY_MILLISECONDS: Final = 1000
"""How long a browser waits before it connects anew; its own three seconds are felt."""
OPENING: Final = f"retry: {RETRY_MILLISECONDS}\n\n".encode()
HEARTBEAT: Final = b":\n\n"
"""A comment: nothing to a browser, a sign of life to proxies."""
END: Final = b"event: end\ndata:\n\n"
"""Tells a browser to connect no more, which it would for ever."""


def message_of(event: Event, place: str | None) -> bytes:
    """Write an event as a server-sent one: its place in the hub as `id`, and as `data` its JSON.

    Without a place a browser keeps that of the last event that it got.
    """
    data = b"data: " + encode_event(event) + b"\n\n"
    return data if place is None else b"id: " + place.encode() + b"\n" + data
