"""Every error that this package raises.

    NexusError
     +- ConfigurationError          a setting of a client, a stream or a pacing that makes no sense
     +- InvalidArgumentError        what is asked for makes no sense: refused before anything is sent
     +- ClientClosedError           a call on a client that was closed
     +- RequestError                a request that brought no usable answer
     |   +- SecretKeyError          the function for the secret key gave none
     |   +- ConnectError            no connection stood: nothing was sent
     |   +- ConnectionLostError     the connection broke under way
     |   +- RequestTimeoutError     time ran out under way
     |   +- InvalidAnswerError      the answer is not what the API promises
     |   +- ResponseTooLargeError   the answer is larger than what is read of one
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
     +- InvalidEventError           a text that is no event
     +- StoreError                  a store that cannot keep what it should
     |   +- StoreBusyError          another process writes to it
     |   +- StoreLostError          another process took it over
     +- OutageError                 no answer for too long while following or waiting
     +- StreamTimeoutError          no checkpoint, or no end, in the time that a stream was given
     +- WaitTimeoutError            runs that were not over in time
     +- RunFailedError              a run that was waited for and failed

All of them pickle and copy. None holds the secret key, a client or a connection. `str(error)` is one line.
"""

from nexus_async.errors.following import (
    InvalidCursorError,
    InvalidEventError,
    OutageError,
    RunFailedError,
    StoreBusyError,
    StoreError,
    StoreLostError,
    StreamTimeoutError,
    WaitTimeoutError,
)
from nexus_async.errors.request import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ForbiddenError,
    InvalidAnswerError,
    NotFoundError,
    OutcomeUnknownError,
    RateLimitedError,
    RedirectError,
    RequestError,
    RequestTimeoutError,
    ResponseTooLargeError,
    SecretKeyError,
    ServerError,
    StatusError,
    UnprocessableError,
)
from nexus_async.errors.root import (
    NexusError,
)
from nexus_async.errors.usage import (
    ClientClosedError,
    ConfigurationError,
    InvalidArgumentError,
    InvalidMatrixError,
)

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "ClientClosedError",
    "ConfigurationError",
    "ConflictError",
    "ConnectError",
    "ConnectionLostError",
    "ForbiddenError",
    "InvalidAnswerError",
    "InvalidArgumentError",
    "InvalidCursorError",
    "InvalidEventError",
    "InvalidMatrixError",
    "NexusError",
    "NotFoundError",
    "OutageError",
    "OutcomeUnknownError",
    "RateLimitedError",
    "RedirectError",
    "RequestError",
    "RequestTimeoutError",
    "ResponseTooLargeError",
    "RunFailedError",
    "SecretKeyError",
    "ServerError",
    "StatusError",
    "StoreBusyError",
    "StoreError",
    "StoreLostError",
    "StreamTimeoutError",
    "UnprocessableError",
    "WaitTimeoutError",
]
