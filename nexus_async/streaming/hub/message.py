"""Events as server-sent ones, for browsers' `EventSource`
(https://html.spec.whatwg.org/multipage/server-sent-events.html).
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nexus_async.events import Lagged, encode_event

if TYPE_CHECKING:
    from nexus_async.events import Event

RETRY_MILLISECONDS: Final = 1000
"""How long a browser waits before it connects anew; its own three seconds are felt."""
OPENING: Final = f"retry: {RETRY_MILLISECONDS}\n\n".encode()
HEARTBEAT: Final = b":\n\n"
"""A comment: nothing to a browser, a sign of life to proxies."""
END: Final = b"event: end\ndata:\n\n"
"""Tells a browser to connect no more, which it would for ever."""

_AS_IT_IS: Final = string.punctuation.replace("%", "")


def message_of(event: Event) -> bytes:
    """Write an event as a server-sent one: its `id`, and as `data` what `encode_event` makes of it.

    `Lagged` has no `id`: a browser keeps the one of the last event that it got.
    """
    data = b"data: " + encode_event(event) + b"\n\n"
    return data if isinstance(event, Lagged) else b"id: " + quoted(event.id).encode() + b"\n" + data


def quoted(event_id: str) -> str:
    """Write an ID in printable ASCII: it must survive a line of a stream and the header `Last-Event-ID`."""
    return quote(event_id, safe=_AS_IT_IS, errors="surrogatepass")
