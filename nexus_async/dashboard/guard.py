"""Who is let in: whoever has the token, on a page of this very server.

A page of another site that a browser has open can send requests to this machine as well. What tells them apart is
the token, `Host` (a name that was made to lead here is not ours) and `Origin` (the site that a request is from).
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
ALL_ADDRESSES: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - what is asked for, to be told apart
JSON_TYPE: Final = "application/json"


class Refusal(NamedTuple):
    """Tell why a request is refused."""

    status: HTTPStatus
    why: str


class Guard:
    """Decide on requests, by what they say of themselves. Without I/O but for this machine's name."""

    def __init__(self, token: str, host: str) -> None:
        self._token = token.encode()
        self._names = names_of(host)
        self._takes_addresses = host in ALL_ADDRESSES
        self._tickets: set[str] = set()

    def new_ticket(self) -> str:
        """Return what stands for the token once: others may come to see it, when it is worth nothing any more."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return ticket

    def token_for(self, ticket: str | None) -> str | None:
        """Return the token for a ticket that was not used yet, which is used then. None for any other."""
        if ticket not in self._tickets:
            return None
        self._tickets.remove(ticket)
        return self._token.decode()

    def refusal_of(
        self, method: str, headers: Mapping[str, str], tokens: Collection[str | None]
    ) -> Refusal | None:
        """Return why a request is refused, None where it is not. One of `tokens` has to be the token."""
        host = headers.get("Host", "")
        if not self._is_ours(host):
            return Refusal(HTTPStatus.FORBIDDEN, f"the host {host[:80]!r} is not this dashboard's")
        origin = headers.get("Origin")
        if origin is not None and not _is_at(origin, host):
            return Refusal(HTTPStatus.FORBIDDEN, f"the site {origin[:80]!r} has no business here")
        if not any(self.is_token(token) for token in tokens):
            return Refusal(HTTPStatus.UNAUTHORIZED, "open the URL that the dashboard printed: the token is in it")
        if method == "POST" and headers.get("Content-Type", "").partition(";")[0].strip() != JSON_TYPE:
            return Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"what is posted here is {JSON_TYPE}")
        return None

    def is_token(self, token: str | None) -> bool:
        """Tell whether this is the token, in a time that does not tell how much of it is right."""
        return token is not None and secrets.compare_digest(token.encode(errors="surrogateescape"), self._token)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        return name in self._names or (self._takes_addresses and name is not None and _is_address(name))


def names_of(host: str) -> frozenset[str]:
    """Return the names that a server at `host` goes by."""
    if host in LOOPBACK_NAMES:
        return LOOPBACK_NAMES
    if host in ALL_ADDRESSES:
        return LOOPBACK_NAMES | {socket.gethostname().lower()}
    return frozenset({host.lower()})


def _is_at(origin: str, host: str) -> bool:
    """Tell whether a site is the one that is asked; https is that of a proxy before it."""
    return origin in {f"http://{host}", f"https://{host}"}


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
