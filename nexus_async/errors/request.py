"""Requests that brought no usable answer."""

from __future__ import annotations

from typing import ClassVar

from nexus_async.errors.root import NexusError


class RequestError(NexusError):
    """Tell of a request that brought no usable answer."""

    remedy: ClassVar[str] = ""

    def __init__(self, what: str, *, method: str, path: str, attempts: int = 1) -> None:
        super().__init__(what)
        self.what = what
        """What came instead of an answer."""
        self.method = method
        """The HTTP method that was asked with."""
        self.path = path
        """The path that was asked for, below the endpoint."""
        self.attempts = attempts
        """How often it was tried."""

    def __str__(self) -> str:
        tries = "1 attempt" if self.attempts == 1 else f"{self.attempts} attempts"
        line = f"{self.method} {self.path}: {self.what} ({tries})"
        return f"{line}. {remedy}" if (remedy := self._remedy()) else line

    def _remedy(self) -> str:
        return self.remedy


class SecretKeyError(RequestError):
    """Tell that the function that gives the secret key gave none, before the first request or after a 401."""

    remedy = "Let it return the key as a str"


class ConnectError(RequestError):
    """Tell that no connection stood in time, so that nothing was sent."""

    remedy = "Check the endpoint, the network and the proxy"


class ConnectionLostError(RequestError):
    """Tell that the connection broke after the request may have been sent."""

    remedy = "Try again"


class RequestTimeoutError(RequestError):
    """Tell that the time for a request ran out after it may have been sent."""

    remedy = "Try again, or give it a larger timeout"


class InvalidAnswerError(RequestError):
    """Tell of an answer that is not what the API promises; `body` is what came."""

    remedy = "`error.body` holds what came"

    def __init__(self, what: str, *, method: str, path: str, attempts: int = 1, body: bytes = b"") -> None:
        super().__init__(what, method=method, path=path, attempts=attempts)
        self.body = body
        """The body as received."""


class ResponseTooLargeError(RequestError):
    """Tell of an answer that was broken off: larger than `max_response_bytes`, or with too large a head."""

    remedy = "Where that is no mistake of the server, use client.with_options(max_response_bytes=...)"


class OutcomeUnknownError(RequestError):
    """Tell that a request may have been carried out, and was not sent again because it must not be.

    Starting a run is paid for. `reason` is the error that left it open. `runs.find_started(error)` takes the
    rest.
    """

    remedy = "Look for the run with `runs.find_started(error)` before you start another"

    def __init__(
        self,
        reason: RequestError,
        *,
        project_id: str | None = None,
        flow_id: str | None = None,
        sent_at: float | None = None,
        sent_after: float | None = None,
    ) -> None:
        super().__init__(
            f"whether it was carried out is unknown: {reason.what}",
            method=reason.method,
            path=reason.path,
            attempts=reason.attempts,
        )
        self.reason = reason
        """The error that left it open."""
        self.project_id = project_id
        """The project in which a run was to be started; None for any other request, as all below."""
        self.flow_id = flow_id
        """The workflow of which a run was to be started."""
        self.sent_at = sent_at
        """When it was sent by the client's clock, in seconds since the Unix epoch."""
        self.sent_after = sent_after
        """The same by the server's clock, or sooner; None where no answer had told its time before."""

    def _remedy(self) -> str:
        return self.remedy if self.flow_id else "Look whether it was carried out before you send it again"


class StatusError(RequestError):
    """Tell that the API answered with a status that is no success."""

    remedy = "Check what was asked"

    def __init__(
        self,
        *,
        method: str,
        path: str,
        status: int,
        code: str | None = None,
        message: str = "",
        request_id: str | None = None,
        retry_after: float | None = None,
        attempts: int = 1,
    ) -> None:
        answer = " ".join(part for part in (str(status), code) if part)
        trace = f" [request {request_id}]" if request_id else ""
        super().__init__(
            f"{answer}: {message}{trace}" if message else f"{answer}{trace}",
            method=method,
            path=path,
            attempts=attempts,
        )
        self.status = status
        """The HTTP status."""
        self.code = code
        """The API's own code, such as `ResourceNotFoundError`; None where the answer had none."""
        self.message = message
        """The API's own message, or the beginning of what a proxy said instead."""
        self.request_id = request_id
        """The answer's request ID, to give to the support; None where it had none."""
        self.retry_after = retry_after
        """Seconds that the answer asks to wait for; None where it does not say."""


class RedirectError(StatusError):
    """Tell of a redirect. It is never followed: the secret key would go along."""

    remedy = "Point the endpoint at where the API really is"


class BadRequestError(StatusError):
    """Tell of a 400: the API does not accept what was sent."""

    remedy = "Check what was sent"


class AuthenticationError(StatusError):
    """Tell of a 401: the secret key is missing, wrong or revoked."""

    remedy = "Check the secret key"


class ForbiddenError(StatusError):
    """Tell of a 403: the secret key does not reach this, or there is no such project."""

    remedy = "Check the ID, and what the secret key may reach"


class NotFoundError(StatusError):
    """Tell of a 404: there is nothing of that ID in the project."""

    remedy = "Check the ID and the project"


class ConflictError(StatusError):
    """Tell of a 409: it does not go with the state of things."""

    remedy = "Look at how things stand, then decide anew"


class UnprocessableError(StatusError):
    """Tell of a 422: it is well formed and makes no sense to the API."""

    remedy = "Check the values that were sent"


class RateLimitedError(StatusError):
    """Tell of a 429: too many requests."""

    remedy = "Ask less often"


class ServerError(StatusError):
    """Tell of a 5xx: the API, or a proxy before it, failed."""

    remedy = "Try again later"
