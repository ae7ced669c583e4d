"""What aiohttp and the system raise, as errors of this package."""

from __future__ import annotations

import asyncio

import aiohttp
import msgspec
from aiohttp.http_exceptions import ContentLengthError, LineTooLong, TransferEncodingError

from nexus_async.errors import (
    ClientClosedError,
    ConnectError,
    ConnectionLostError,
    InvalidAnswerError,
    RequestError,
    RequestTimeoutError,
    ResponseTooLargeError,
)
from nexus_async.http.inflation import BodyTooLargeError
from nexus_async.http.unpacking import CodingError


class DroppedError(aiohttp.ClientError):
    """Tell of a connection that broke, in words that aiohttp does not take for leave to send again."""


FOREIGN = (aiohttp.ClientError, OSError, RuntimeError, BodyTooLargeError, CodingError, msgspec.DecodeError)
"""What may be raised under way and is mapped here; TimeoutError is an OSError."""


def meaning_of(  # noqa: C901, PLR0911 - a line for each
    failure: Exception, *, endpoint: str, read_timeout: float, within: float
) -> tuple[type[RequestError], str] | Exception:
    """Return the error that a failure means and what it tells, by what may have been sent.

    A failure of something else, such as a user's own code in an injected session, is returned as it is.
    """
    match failure:
        case RuntimeError() if str(failure) == "Session is closed":
            return ClientClosedError()
        case RuntimeError() if str(failure) != "Connection closed.":
            return failure
        case aiohttp.ClientConnectionError() if str(failure).rstrip(".") == "Connector is closed":
            return ClientClosedError()  # while a connection was waited for: nothing was sent
        case aiohttp.ConnectionTimeoutError():
            return ConnectError, f"no connection to {endpoint} stood in time"
        case aiohttp.ClientHttpProxyError():
            return (
                ConnectError,
                f"the proxy let nothing through to {endpoint}: {failure.status} {failure.message}",
            )
        case aiohttp.ClientConnectorError() | aiohttp.ClientConnectorCertificateError() | aiohttp.InvalidURL():
            return ConnectError, f"no connection to {endpoint}: {failure}"
        case aiohttp.ServerTimeoutError():
            return RequestTimeoutError, f"not a byte for {read_timeout:g} s"
        case TimeoutError():
            return RequestTimeoutError, f"no whole answer within {within:.3g} s"
        case BodyTooLargeError():
            return ResponseTooLargeError, str(failure)
        case CodingError() | msgspec.DecodeError():
            return InvalidAnswerError, str(failure)
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError() if not _broke_off(failure):
            return _of_a_bad_answer(failure)
        case _:
            return ConnectionLostError, f"the connection broke: {what_broke(failure)}"


def is_cancelled() -> bool:
    """Tell whether somebody cancelled this task, rather than what it waits for."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def what_broke(failure: Exception) -> str:
    """Return what is told of a connection that broke, without the head of an answer that aiohttp would show."""
    if isinstance(failure, aiohttp.ServerDisconnectedError) and not isinstance(failure.message, str):
        return "Server disconnected in the head of its answer"
    return str(failure) or type(failure).__name__


def _broke_off(failure: aiohttp.ClientError) -> bool:
    """Tell whether a body ended too soon, rather than being coded in a way that nobody can read."""
    cause = failure.__cause__
    return isinstance(cause, ContentLengthError) or (
        isinstance(cause, TransferEncodingError) and "Not enough data" in cause.message
    )


def _of_a_bad_answer(failure: aiohttp.ClientError) -> tuple[type[RequestError], str]:
    told = getattr(failure, "message", "") or str(failure)
    causes = (failure.__cause__, getattr(failure.__cause__, "__cause__", None))
    if any(isinstance(cause, LineTooLong) for cause in causes) or "Too many headers" in told:
        return ResponseTooLargeError, f"the head of the answer is too large: {told[:80]}"
    return InvalidAnswerError, f"the answer is not HTTP: {told}"
