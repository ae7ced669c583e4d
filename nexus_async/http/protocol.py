"""What a request is and what an answer means, without I/O."""

from __future__ import annotations

import re
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import msgspec

from nexus_async.errors import (
    AuthenticationError,
    BadRequestError,
    ConflictError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    ServerError,
    StatusError,
    UnprocessableError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

OK: Final[int] = HTTPStatus.OK.value  # an enum is slow at looking its members up before Python 3.12
MULTIPLE_CHOICES: Final[int] = HTTPStatus.MULTIPLE_CHOICES.value
NOT_MODIFIED: Final[int] = HTTPStatus.NOT_MODIFIED.value
TOO_MANY_REQUESTS: Final[int] = HTTPStatus.TOO_MANY_REQUESTS.value
MESSAGE_LENGTH: Final = 300
"""Characters of an error's body that are worth repeating."""

UNREADABLE: Final = (msgspec.DecodeError, ValueError, RecursionError)
"""What a decoder raises for a body that it does not take: one that is no UTF-8 or too deep is no DecodeError."""

_MARKUP = re.compile(r"\s*<(?:!doctype|html|head|body|\?xml|h\d|p|title|center)\b|\s*<[!?]", re.IGNORECASE)
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?")
_PLAIN_PART = re.compile(r"[A-Za-z0-9_-]+")
_REQUEST_ID_HEADERS: Final = ("X-Request-Id", "X-Amzn-RequestId", "X-Correlation-Id", "CF-Ray")
_ERRORS: Final[dict[int, type[StatusError]]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    422: UnprocessableError,
    429: RateLimitedError,
}


class Request(msgspec.Struct, frozen=True, gc=False):
    """Say what to ask."""

    method: str
    path: str
    """Below the endpoint, quoted, with a leading slash."""
    body: bytes | None = None
    """JSON, or None."""
    repeatable: bool = True
    """Whether it may be sent again after it may have been carried out."""


class Answer(msgspec.Struct, frozen=True, gc=False):
    """Hold what came, whatever the status."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes
    sends: int = 1
    """How often the request was sent for it."""

    def __repr__(self) -> str:
        return f"Answer({self.status}, {len(self.body)} bytes)"  # headers may repeat the secret key


def get(path: str) -> Request:
    """Ask for what stands at `path`."""
    return Request("GET", path)


def patch(path: str, body: Any) -> Request:
    """Set what `body` names. Saying it twice sets the same again."""
    return Request("PATCH", path, _json(body))


def post(path: str, body: Any) -> Request:
    """Create what `body` describes. Saying it twice would create two."""
    return Request("POST", path, _json(body), repeatable=False)


def delete(path: str) -> Request:
    """Delete what stands at `path` (idempotent by RFC 9110, section 9.2.2)."""
    return Request("DELETE", path)


def path_of(*parts: str) -> str:
    """Join the parts of a path, each quoted; raise `InvalidArgumentError` for an empty one."""
    return "/" + "/".join(map(_quoted, parts))


def _quoted(part: str) -> str:
    if isinstance(part, str) and part.isascii() and part.isidentifier():  # as nearly all are
        return part
    if not isinstance(part, str) or part.strip(". ") == "":
        raise InvalidArgumentError(f"{part!r} is no ID")
    if _PLAIN_PART.fullmatch(part):
        return part
    try:
        return quote(part, safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(f"{part!r} is no ID") from None


def _json(body: Any) -> bytes:
    try:
        return msgspec.json.encode(body)
    except UnicodeEncodeError as refusal:
        raise InvalidArgumentError(f"{refusal.object!r} is no text that can be sent") from None


def body_of(request: Request, answer: Answer, attempts: int = 1) -> bytes:
    """Return the body of a success; raise the `StatusError` that any other answer means."""
    if OK <= answer.status < MULTIPLE_CHOICES:
        return answer.body
    raise _error_of(request, answer, attempts)


def _error_of(request: Request, answer: Answer, attempts: int) -> StatusError:
    code, message = _code_and_message(answer)
    return _class_of(answer.status)(
        method=request.method,
        path=request.path,
        status=answer.status,
        code=code,
        message=message,
        request_id=request_id_of(answer.headers),
        retry_after=retry_after(answer.headers),
        attempts=attempts,
    )


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the ID by which the support finds a request, or None where the answer has none."""
    return next((headers[name] for name in _REQUEST_ID_HEADERS if name in headers), None)


def _class_of(status: int) -> type[StatusError]:
    if 300 <= status < 400:  # noqa: PLR2004 - RFC 9110, section 15.4
        return RedirectError
    return _ERRORS.get(status, ServerError if status >= 500 else StatusError)  # noqa: PLR2004 - section 15.6


def _code_and_message(answer: Answer) -> tuple[str | None, str]:
    """Read the API's `{"code": ..., "message": ...}`, or the beginning of what a proxy said instead."""
    try:
        said = msgspec.json.decode(answer.body)
    except UNREADABLE:
        said = None
    if isinstance(said, dict):
        code, message = said.get("code"), said.get("message")
        return (_line(str(code)) if code else None), _line(str(message or ""))
    text = answer.body.decode("utf-8", "replace")
    return None, _phrase(answer.status) if _MARKUP.match(text) or not text.strip() else _line(text)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MESSAGE_LENGTH else line[: MESSAGE_LENGTH - 3] + "..."


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a `Retry-After` asks to wait for, or None (RFC 9110, section 10.2.3).

    Decimals are taken too, as some proxies send them. A date counts from the answer's own `Date`, so that a
    skewed clock here does not matter.
    """
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    until = seconds_of_date(value)
    if until is None:
        return None
    since = seconds_of_date(headers.get("Date", ""))
    return max(0.0, until - (time.time() if since is None else since))


def date_of(headers: Mapping[str, str]) -> float | None:
    """Return the server's time, in whole seconds since the Unix epoch; None where the answer does not tell."""
    return seconds_of_date(headers.get("Date", ""))


def seconds_of_date(date: str) -> float | None:
    """Return the seconds since the Unix epoch that an HTTP date means, None for what is none."""
    try:
        moment = parsedate_to_datetime(date)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()  # RFC 9110, section 5.6.7
    except (ValueError, TypeError, OverflowError):
        return None
