"""Defaults in one place, and what a client is configured with.

An argument wins over the environment, the environment over the default. The environment is read once,
when the client is made.
"""

from __future__ import annotations

import os
import platform
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nexus_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn, SupportsIndex
    from urllib.parse import SplitResult

VERSION: Final = "0.1.0"

ENDPOINT: Final = "https://api.datature.io"
"""Where Nexus answers."""
SECRET_KEY_VARIABLE: Final = "DATATURE_SECRET_KEY"  # noqa: S105 - the name of a variable
ENDPOINT_VARIABLE: Final = "DATATURE_API_BASE_URL"
"""The official client reads the same variable."""

TIMEOUT: Final = 120.0
"""Seconds for a whole call: waiting for a connection, every attempt and the pauses between them."""
CONNECT_TIMEOUT: Final = 10.0
"""Seconds until a connection stands: far above a slow handshake, far below a user's patience."""
READ_TIMEOUT: Final = 60.0
"""Seconds without a byte: a whole log may be slow to start, a silent server is a lost one."""
ATTEMPTS: Final = 3
"""Tries of a call in all: the third seldom fails where the second did not."""
RETRY_AFTER_CAP: Final = 120.0
"""Seconds: a `Retry-After` above it is raised at once, for the caller to decide."""
RETRY_BUDGET: Final = 64
"""Retries that a client may make without a success between them: two for each of 32 calls that fail together."""
RETRY_REFILL: Final = 0.2
"""Retries that each success brings back: in the long run an API that fails is asked a fifth more, not three times
as much. The share is Finagle's (https://twitter.github.io/finagle/guide/Clients.html#retries)."""
START_MARGIN: Final = 10.0
"""Seconds by which the clocks of a server's machines may differ, when a run is looked for that it may have
started."""
CLOCK_MARGIN: Final = 300.0
"""The same where the server never told its time: what Kerberos lets two clocks be apart (RFC 4120, section
1.6)."""
MAX_RESPONSE_BYTES: Final = 256_000_000
"""Bytes of an answer, as received and decompressed: above a log of a million entries, below a small machine's
memory."""
MAX_IN_FLIGHT: Final = 32
"""Requests under way at once, and so open connections, of one client."""
REQUESTS_PER_SECOND: Final = 10.0
"""Requests of one client a second in the long run: what Nexus allows is unknown, and polls need far fewer."""
BYTES_PER_SECOND: Final = 1_000_000.0
"""Bytes that polls bring a second in the long run: whole logs, read again and again, leave the line to others."""

STATUS_INTERVAL: Final = 5.0
"""Seconds between two looks at the status of runs that are waited for, on average."""
POLL_JITTER: Final = 0.1
"""Share of the interval by which polls are spread, so that many streams do not ask at once."""
SETTLE: Final = 2.0
"""Seconds between two equal snapshots of an ended run's logs before they count as whole."""
DRAIN_TIMEOUT: Final = 10.0
"""Seconds that logs may go on growing after a run's end."""
LONG_OVER: Final = 60.0
"""Seconds since a run's end after which one snapshot is enough."""
MAX_OUTAGE: Final = 300.0
"""Seconds without an answer that a stream rides out."""
DISCOVERY_INTERVAL: Final = 30.0
"""Seconds between two looks for new runs and changes of status: lists then cost next to nothing beside logs."""
BUFFER: Final = 1_000
"""Events of a feed that are read ahead of its consumer: some seconds of work, and under a megabyte."""
MAX_BUFFERED_BYTES: Final = 64_000_000
"""Bytes of logs that are read and not handed out yet, of one client: two logs of 100,000 entries."""
COMMIT_INTERVAL: Final = 1.0
"""Seconds between two commits to a store: what is told again after a crash, at most."""

# pacing
PRICE: Final = 1.0
"""Seconds of delay that a request is worth: about two requests an event, each seen within seconds."""
MINIMUM_GAP: Final = 0.25
"""Seconds between two polls of a run at least, however fast its events come."""
LONGEST_GAP: Final = 300.0
"""Seconds between two polls of a run at most, however seldom its events come: its end is news as well."""
FIRST_INTERVAL: Final = 60.0
"""Seconds: the usual interval between two events of a run, until one is known."""

USER_AGENT: Final = (
    f"nexus-async/{VERSION} (Python/{platform.python_version()}; {platform.system()}/{platform.machine()})"
)


class Secret(str):
    """Hold a text that no log and no traceback may show: its `repr` hides it, and it does not pickle."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'[secret]'"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret key is not pickled: let each process read its own")


_BEYOND_A_PATH = re.compile(r"[?#\\\s\x00-\x1f]")
_HEADER_VALUE = re.compile(r"[\x21-\x7e]+")


def choose_secret_key(given: str | None, environment: Mapping[str, str] = os.environ) -> Secret:
    """Choose the secret key: the argument, else `DATATURE_SECRET_KEY`.

    Raises `ConfigurationError` when there is none, or when it cannot stand in an HTTP header. The error
    never shows the key.
    """
    key = Secret(environment.get(SECRET_KEY_VARIABLE, "") if given is None else given)
    is_text = given is None or isinstance(given, str)
    del given, environment  # tracebacks show what a frame holds
    if not key:
        raise ConfigurationError(
            f"no secret key: pass Client(secret_key), set {SECRET_KEY_VARIABLE}, "
            "or pass certificate_file and private_key_file"
        )
    if not is_text or not can_be_sent(key):
        raise ConfigurationError(
            "the secret key has a character that no header may carry (a space, a line break, an accent): "
            "copy it again from Nexus"
        )
    return key


def can_be_sent(key: object) -> bool:
    """Tell whether a key can stand in an HTTP header."""
    return isinstance(key, str) and _HEADER_VALUE.fullmatch(key) is not None


def choose_endpoint(given: str | None, environment: Mapping[str, str] = os.environ) -> str:
    """Choose the base URL: the argument, else `DATATURE_API_BASE_URL`, else Nexus. A path in it is kept.

    Raises `ConfigurationError` for anything but an http or https URL without credentials, query or fragment.
    """
    url = (environment.get(ENDPOINT_VARIABLE) or ENDPOINT) if given is None else given
    del environment  # tracebacks show what a frame holds, and it may hold a key
    if isinstance(url, str) and "@" in url:
        raise ConfigurationError("the endpoint holds credentials: leave them out, the secret key is enough")
    parts = _split(url)
    if parts is None or parts.scheme not in {"http", "https"} or not _is_host(parts.hostname):
        raise ConfigurationError(f"the endpoint {url!r} is no http or https URL, such as {ENDPOINT}")
    if _BEYOND_A_PATH.search(url):
        raise ConfigurationError(
            f"the endpoint at {parts.hostname} may hold a scheme, a host, a port and a path, and nothing else"
        )
    return url.rstrip("/")


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL; None where it is none, or its port is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except (ValueError, TypeError, AttributeError):
        return None
    return None if port == 0 else parts


def _is_host(name: str | None) -> bool:
    """Tell whether a name can be looked up at all (RFC 1035, section 2.3.4)."""
    if name is None:
        return False
    try:
        labels = name.encode("ascii" if name.isascii() else "idna").removesuffix(b".").split(b".")
    except UnicodeError:
        return False
    return all(0 < len(label) < 64 for label in labels)  # noqa: PLR2004 - the RFC's bound


def positive(name: str, value: float) -> float:
    """Return `value`, or raise `ConfigurationError` where it is not a number above zero."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
        raise ConfigurationError(f"{name}={value!r} is no number above zero")
    return value


def positive_count(name: str, value: int) -> int:
    """Return `value`, or raise `ConfigurationError` where it is not a whole number of 1 or more."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigurationError(f"{name}={value!r} is no whole number of 1 or more")
    return value
