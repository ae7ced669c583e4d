"""Every error, as a user handles it."""

from __future__ import annotations

from typing import assert_type

from nexus_async import (
    AuthenticationError,
    BadRequestError,
    Client,
    ClientClosedError,
    ConfigurationError,
    ConflictError,
    ConnectError,
    ConnectionLostError,
    ForbiddenError,
    InvalidAnswerError,
    InvalidArgumentError,
    InvalidCursorError,
    InvalidEventError,
    InvalidMatrixError,
    NexusError,
    NotFoundError,
    OutageError,
    OutcomeUnknownError,
    RateLimitedError,
    RedirectError,
    RequestError,
    RequestTimeoutError,
    ResponseTooLargeError,
    RunFailedError,
    SecretKeyError,
    ServerError,
    StatusError,
    StoreBusyError,
    StoreError,
    StoreLostError,
    StreamTimeoutError,
    UnprocessableError,
    WaitTimeoutError,
)


async def call(client: Client) -> str | None:  # noqa: C901 - an error after the other
    try:
        await client.get_info()
    except (AuthenticationError, ForbiddenError, NotFoundError) as error:
        return assert_type(error.code, str | None)
    except (BadRequestError, ConflictError, UnprocessableError, RedirectError, ServerError) as error:
        return assert_type(error.message, str)
    except RateLimitedError as error:
        assert_type(error.retry_after, float | None)
    except StatusError as error:
        assert_type(error.status, int)
    except InvalidAnswerError as error:
        assert_type(error.body, bytes)
    except OutcomeUnknownError as error:
        assert_type(error.reason, RequestError)
    except (ResponseTooLargeError, SecretKeyError) as error:
        assert_type(error.path, str)
    except (ConnectError, ConnectionLostError, RequestTimeoutError) as error:
        assert_type(error.what, str)
    except RequestError as error:
        assert_type(error.attempts, int)
    except NexusError as error:
        return str(error)
    return None


def read(error: NexusError) -> object:
    match error:
        case OutageError() | StreamTimeoutError():
            return assert_type(error.cursor, str | None)
        case WaitTimeoutError():
            return assert_type(error.statuses, dict[str, str | None])
        case RunFailedError():
            return assert_type(error.status, str)
        case StoreBusyError() | StoreLostError() | StoreError():
            return "the store"
        case ConfigurationError() | InvalidArgumentError() | ClientClosedError():
            return "mine"
        case InvalidCursorError() | InvalidEventError() | InvalidMatrixError():
            return "what I read"
        case _:
            return None
