"""Every error that this package raises.

    NexusError
     +- ConfigurationError          a setting of a client, a stream or a pacing that makes no sense
     +- InvalidArgumentError        what is asked for makes no sense: refused before anything is sent
     +- ClientClosedError           a call on a client that was closed
     +- RequestError                a request that brought no usable answer
     |   +- ConnectError            no connection stood: nothing was sent
     |   +- ConnectionLostError     the connection broke under way
     |   +- RequestTimeoutError     time ran out under way
     |   +- InvalidAnswerError      the answer is not what the API promises
     |   +- OutcomeUnknownError     it may have been carried out, and must not be sent again
     |   +- StatusError             the API said no
     |       +- RedirectError       3xx, never followed: the secret key would go along
     |       +- BadRequestError     400
     |       +- AuthenticationError 401
     |       +- ForbiddenError      403
     |       +- NotFoundError       404
     |       +- ConflictError       409
     |       +- UnprocessableError  422
     |       +- RateLimitedError    429
     |       +- ServerError         5xx
     +- InvalidMatrixError          a confusion matrix that makes no sense
     +- InvalidCursorError          a cursor that this stream cannot resume from
     +- OutageError                 no answer for too long while following or waiting
     +- StreamTimeoutError          no checkpoint, or no end, in the time that a stream was given
     +- WaitTimeoutError            runs that were not over in time
     +- RunFailedError              a run that was waited for and failed

All of them pickle and copy. None holds the secret key, a client or a connection. `str(error)` is one line.
"""

from __future__ import annotations

from typing import Any, ClassVar


class NexusError(Exception):
    """Be the root of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[NexusError], args: tuple[Any, ...], state: dict[str, Any]) -> NexusError:
    error = cls.__new__(cls, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(NexusError):
    """Tell of a setting that makes no sense: of a client, a stream or a pacing, given or in the environment."""


class InvalidArgumentError(NexusError):
    """Tell of an ID or a setup that makes no sense, and was refused before anything was sent."""


class ClientClosedError(NexusError):
    """Tell of a call on a client that was closed."""

    def __init__(self) -> None:
        super().__init__("the client is closed: make calls inside `async with client:`, or enter it again")


class InvalidMatrixError(NexusError):
    """Tell of a confusion matrix that makes no sense; the text as received is `RunConfusionMatrix.data`."""


class InvalidCursorError(NexusError):
    """Tell of a cursor that cannot be resumed from: garbage, of another run, or of a newer release."""


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
        return f"{line}. {self.remedy}" if self.remedy else line


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


class OutcomeUnknownError(RequestError):
    """Tell that a request may have been carried out, and was not sent again because it must not be.

    Starting a run is paid for. `reason` is the error that left it open.
    """

    remedy = "Look for the run with `runs.list()` before you start another"

    def __init__(self, reason: RequestError) -> None:
        super().__init__(
            f"whether it was carried out is unknown: {reason.what}",
            method=reason.method,
            path=reason.path,
            attempts=reason.attempts,
        )
        self.reason = reason


class StatusError(RequestError):
    """Tell that the API answered with a status that is no success."""

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


class UnprocessableError(StatusError):
    """Tell of a 422: it is well formed and makes no sense to the API."""


class RateLimitedError(StatusError):
    """Tell of a 429: too many requests."""

    remedy = "Ask less often"


class ServerError(StatusError):
    """Tell of a 5xx: the API, or a proxy before it, failed."""

    remedy = "Try again later"


class OutageError(NexusError):
    """Tell that what is followed or waited for went without an answer for longer than `max_outage`."""

    def __init__(
        self, *, seconds: float, reason: RequestError, run_id: str | None = None, cursor: str | None = None
    ) -> None:
        where = f"{run_id}: " if run_id else ""
        remedy = "Resume with cursor=error.cursor" if cursor else "Try again"
        super().__init__(f"{where}no answer for {seconds:.0f} s, last {reason.what}. {remedy}")
        self.seconds = seconds
        """For how long no answer came."""
        self.reason = reason
        """The last failure."""
        self.run_id = run_id
        """The run that was followed; None where several were waited for."""
        self.cursor = cursor
        """The token that resumes after the last checkpoint that was handed out; None where there is none."""


class StreamTimeoutError(NexusError):
    """Tell that the time to wait on a stream ran out."""

    def __init__(self, *, run_id: str, why: str, status: str | None, cursor: str) -> None:
        super().__init__(f"{run_id} is {status or 'unknown'}: {why}. Resume with cursor=error.cursor")
        self.run_id = run_id
        """The run that is followed."""
        self.why = why
        """What ran out."""
        self.status = status
        """The run's last status; None where none was seen yet."""
        self.cursor = cursor
        """The token that resumes after the last checkpoint that was handed out."""


class WaitTimeoutError(NexusError):
    """Tell that runs were not over when the time to wait for them was."""

    def __init__(self, *, seconds: float, statuses: dict[str, str | None]) -> None:
        told = ", ".join(f"{run_id} is {status or 'unknown'}" for run_id, status in list(statuses.items())[:3])
        more = f" and {len(statuses) - 3} more" if len(statuses) > 3 else ""  # noqa: PLR2004 - what a line holds
        super().__init__(f"not over after {seconds:g} s: {told}{more}. Wait again, or with a larger timeout")
        self.seconds = seconds
        """How long was waited."""
        self.statuses = statuses
        """The last status of each run that is not over, by its ID; None where none was seen yet."""


class RunFailedError(NexusError):
    """Tell that a run that was waited for ended as `Errored` or `Cancelled`."""

    def __init__(self, *, run_id: str, status: str, message: str) -> None:
        super().__init__(" ".join(f"{run_id} is {status}: {message}".split()))
        self.run_id = run_id
        self.status = status
        """`Errored` or `Cancelled`."""
        self.message = message
        """What the API says of it."""
