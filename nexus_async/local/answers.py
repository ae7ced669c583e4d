"""Answers of the server, those that refuse included."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from aiohttp import web

WHOLE = web.RequestKey("whole", bool)
"""Whether an answer has to be whole before it is sent, however large: something is still to be done to it."""

_CODES = {
    400: "BadRequest",
    401: "UnauthorizedError",
    403: "ForbiddenError",
    404: "ResourceNotFoundError",
    405: "MethodNotAllowedError",
    413: "PayloadTooLargeError",
    429: "TooManyRequestsError",
    500: "InternalServerError",
}


class RefusalError(Exception):
    """Answer with an error of Nexus: `status`, its code, and `message`.

    `retry_after` is in seconds.
    """

    def __init__(self, status: int, message: str, *, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after

    def answer(self) -> web.Response:
        """Make the answer."""
        answer = refuse(self.status, str(self))
        if self.retry_after is not None:
            answer.headers["Retry-After"] = str(self.retry_after)
        return answer


def refuse(status: int, message: str) -> web.Response:
    """Answer with an error of Nexus."""
    code = _CODES.get(status) or _phrase(status)
    return answer_json({"code": code, "message": message}, status=status)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase.replace(" ", "")
    except ValueError:  # 520 to 524, which an edge proxy made up
        return "UnknownError"


def answer_json(data: object, *, status: int = 200) -> web.Response:
    """Answer with `data` as JSON."""
    return answer_encoded(msgspec.json.encode(data), status=status)


def answer_encoded(body: bytes, *, status: int = 200) -> web.Response:
    """Answer with JSON that is encoded already."""
    return web.Response(body=body, status=status, content_type="application/json", charset="utf-8")
