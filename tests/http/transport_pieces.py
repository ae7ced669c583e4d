"""A transport to a server of a test."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nexus_async.http.aiohttp_transport import AiohttpTransport
from nexus_async.http.key import SecretKey
from nexus_async.http.options import Options
from nexus_async.http.pool import Pool
from nexus_async.http.server_time import ServerTime
from nexus_async.http.throttle import Throttle

if TYPE_CHECKING:
    import aiohttp


def transport_to(
    url: str,
    throttle: Throttle | None = None,
    *,
    session: aiohttp.ClientSession | None = None,
    max_response_bytes: int = 1_000_000,
) -> AiohttpTransport:
    return AiohttpTransport(
        Pool(url, session=session),
        key=SecretKey(None, headers={}),
        options=Options(connect_timeout=5, read_timeout=5, max_response_bytes=max_response_bytes),
        throttle=throttle or Throttle(),
        server_time=ServerTime(time.time),
    )
