"""Which proxy leads to the endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from nexus_async.config import Secret
from nexus_async.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping


def check_proxy(url: str, source: str = "proxy") -> Secret:
    """Return the URL of a proxy, hidden since it may hold a password; raise where it is none."""
    hidden = url = Secret(url) if isinstance(url, str) else Secret()
    if not _is_proxy(hidden):
        raise ConfigurationError(f"{source} is no URL of an HTTP proxy, such as 'http://proxy.example:3128'")
    return hidden


def _is_proxy(url: Secret) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def proxy_of_environment(endpoint: str) -> Secret | None:
    """Return the proxy that the environment names for the endpoint, unless `NO_PROXY` names its host.

    `HTTPS_PROXY` or `HTTP_PROXY`, by the endpoint's scheme, else `ALL_PROXY`; on macOS and Windows also what the
    system is set to. Raises `ConfigurationError` for one that cannot be used: to go round it may be forbidden.
    """
    parts = urlsplit(endpoint)
    url = _named(getproxies(), parts.scheme)
    if not url or proxy_bypass(parts.netloc):
        return None
    if "://" not in url:
        url = Secret(f"http://{url}")
    return check_proxy(url, f"the proxy that the environment names for {parts.scheme}")


def _named(proxies: Mapping[str, str], scheme: str) -> Secret:
    return Secret(proxies.get(scheme) or proxies.get("all") or "")
