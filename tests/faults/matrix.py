"""The fault matrix: what goes wrong, with each of four methods, and what a client makes of it.

`python tests/faults/matrix.py` writes docs/faults.md, from what stands here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import wire_faults as wire
from raw_nexus import RUN, greeted, well, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from raw_nexus import Act

METHODS: Final = ("GET", "PATCH", "POST", "DELETE")
DOCUMENT: Final = Path(__file__).parent.parent.parent / "docs" / "faults.md"
INTRODUCTION: Final = """
# What goes wrong, and what a call comes to

This table is written by `python tests/faults/matrix.py`, and each of its cells is a test: a client with the default
settings, but for a pool of one connection and, where bodies are large, `max_response_bytes=1_000_000`; a real server on a
socket; and after each call another one that has to do.

A cell says how many requests the server saw, and what the call came to; then how often it was tried, where that is
another number, what the error's `retry_after` is, where it has one, and how many seconds the call took: of pauses and
timeouts, without what a network takes, and without jitter, which by chance shortens the pauses between attempts. `=` is
what stands under GET. The GET is `runs.get`, the PATCH `runs.kill`, the POST `runs.start`, and the DELETE
`workflows.delete`.

Three rules explain most of it.

- What is safe to repeat is tried three times in all. A start is not, once it may have been received: it ends with
  `OutcomeUnknownError`, whose `reason` is the error that left it open, and `runs.find_started` looks for the run. After a
  429, or where no connection stood, it is repeated like the others.
- One attempt is one request, also on a kept connection: aiohttp, which would send a GET or a DELETE once more by itself,
  is kept from it.
- A `Retry-After` is heeded up to `retry_after_cap`; above it the error is raised at once. A date counts from the answer's
  own `Date`. What is neither a number nor a date is ignored.
"""
HEAD: Final = """
| what goes wrong | GET | PATCH | POST | DELETE |
| --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True)
class Fault:
    """Say what goes wrong while a call is made."""

    answer: Act = well
    wait: Act = greeted
    greet: Act = greeted
    place: str = "plain"
    """Where the server stands: plain, refusing, unknown, full, insecure, another."""
    warm: bool = False
    """Whether a connection was used before, and kept."""
    rest: float = 0.0
    """Seconds between the call and the next."""
    options: Mapping[str, Any] = field(default_factory=dict)


JSON_OF_OTHER_TYPES: Final = RUN.replace(b'"run_1"', b"1").replace(b"true", b'"yes"')
FAULTS: Final[dict[str, Fault]] = {
    "connection refused": Fault(place="refusing"),
    "name not found": Fault(place="unknown"),
    "TLS: no TLS there": Fault(place="insecure", greet=wire.says(b"HTTP/1.1 400 X\r\n\r\n", then_closes=True)),
    "TLS: another's certificate": Fault(place="another"),
    "no answer to the handshake of TCP": Fault(place="full"),
    "reset when the connection stands": Fault(greet=wire.reset),
    "dropped before the answer": Fault(wire.close),
    "reset before the answer": Fault(wire.reset),
    "dropped in the headers": Fault(wire.says(written()[:30], then_closes=True)),
    "dropped in the body": Fault(wire.says(written()[:-20], then_closes=True)),
    "dropped after the answer": Fault(wire.says(written(), then_closes=True)),
    "kept connection dropped while idle": Fault(wait=wire.close_between, warm=True),
    "kept connection dropped by the next request": Fault(wire.close_where_it_was_served, warm=True),
    "kept connection reset as the next request arrives": Fault(wait=wire.reset_as_the_next_arrives, warm=True),
    "never an answer": Fault(wire.silence),
    "a byte each 0.1 s": Fault(wire.trickle(0.1)),
    "a byte each second": Fault(wire.trickle(1)),
    "not HTTP": Fault(wire.says(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", then_closes=True)),
    "400": Fault(wire.status(400)),
    "401": Fault(wire.status(401)),
    "403": Fault(wire.status(403)),
    "404": Fault(wire.status(404)),
    "409": Fault(wire.status(409)),
    "422": Fault(wire.status(422)),
    "429": Fault(wire.status(429)),
    "429, Retry-After: 7": Fault(wire.status(429, retry_after="7"), rest=10),
    "429, Retry-After: 0.5": Fault(wire.status(429, retry_after="0.5"), rest=10),
    "429, Retry-After: a date in 20 s": Fault(
        wire.status(429, retry_after="Tue, 10 Mar 2026 12:00:20 GMT"), rest=30
    ),
    "429, Retry-After: soon": Fault(wire.status(429, retry_after="soon")),
    "429, Retry-After: 86400": Fault(wire.status(429, retry_after="86400"), rest=150),
    **{str(number): Fault(wire.status(number)) for number in (500, 502, 503, 504)},
    "503, Retry-After: 7": Fault(wire.status(503, retry_after="7")),
    "501": Fault(wire.status(501)),
    **{f"{number}, a page of HTML": Fault(wire.page(number)) for number in (502, 520, 521, 522, 523, 524)},
    "200, broken JSON": Fault(wire.says(written(RUN[:-20]))),
    "200, other types in the JSON": Fault(wire.says(written(JSON_OF_OTHER_TYPES))),
    "200, HTML": Fault(wire.says(written(b"<html>log in</html>", headers={"Content-Type": "text/html"}))),
    "200, no body": Fault(wire.says(written(b""))),
    "200, more promised than sent": Fault(wire.says(written(length=len(RUN) + 10), then_closes=True)),
    "200, less promised than sent": Fault(wire.says(written(length=len(RUN) - 10))),
    "200, more sent a second later": Fault(wire.say_too_much, rest=2),
    "200, 30 MB in 30 KB of gzip": Fault(wire.bomb(30_000_000), options={"max_response_bytes": 1_000_000}),
    "200, a body of 2 MB": Fault(wire.says(written(b" " * 2_000_000)), options={"max_response_bytes": 1_000_000}),
    "500, a body of 2 MB": Fault(wire.says(written(b"x" * 2_000_000, status=500))),
    "200, a header of 1 MB": Fault(wire.says(written(headers={"X": "x" * 1_000_000}))),
    "302 to the same origin": Fault(wire.says(written(b"", status=302, headers={"Location": "/elsewhere"}))),
    "307 to another origin": Fault(wire.redirect_elsewhere),
}

# What a cell says stands in the introduction.
EXPECTED: Final = """
connection refused                                | 0 requests, ConnectError, 3 attempts, 1.5 s                | = | =                                                                 | =
name not found                                    | 0 requests, ConnectError, 3 attempts, 1.5 s                | = | =                                                                 | =
TLS: no TLS there                                 | 0 requests, ConnectError, 3 attempts, 1.5 s                | = | =                                                                 | =
TLS: another's certificate                        | 0 requests, ConnectError, 3 attempts, 1.5 s                | = | =                                                                 | =
no answer to the handshake of TCP                 | 0 requests, ConnectError, 3 attempts, 32 s                 | = | =                                                                 | =
reset when the connection stands                  | 0 requests, ConnectionLostError, 3 attempts, 1.5 s         | = | 0 requests, OutcomeUnknownError of ConnectionLostError, 1 attempt | =
dropped before the answer                         | 3 requests, ConnectionLostError, 1.5 s                     | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
reset before the answer                           | 3 requests, ConnectionLostError, 1.5 s                     | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
dropped in the headers                            | 3 requests, ConnectionLostError, 1.5 s                     | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
dropped in the body                               | 3 requests, ConnectionLostError, 1.5 s                     | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
dropped after the answer                          | 1 request, ok                                              | = | =                                                                 | =
kept connection dropped while idle                | 1 request, ok                                              | = | =                                                                 | =
kept connection dropped by the next request       | 2 requests, ok, 0.5 s                                      | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
kept connection reset as the next request arrives | 1 request, ok, 0.5 s                                       | = | 0 requests, OutcomeUnknownError of ConnectionLostError, 1 attempt | =
never an answer                                   | 2 requests, RequestTimeoutError, 120 s                     | = | 1 request, OutcomeUnknownError of RequestTimeoutError, 60 s       | =
a byte each 0.1 s                                 | 1 request, ok, 30.1 s                                      | = | =                                                                 | =
a byte each second                                | 1 request, RequestTimeoutError, 120 s                      | = | 1 request, OutcomeUnknownError of RequestTimeoutError, 120 s      | =
not HTTP                                          | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
400                                               | 1 request, BadRequestError 400                             | = | =                                                                 | =
401                                               | 1 request, AuthenticationError 401                         | = | =                                                                 | =
403                                               | 1 request, ForbiddenError 403                              | = | =                                                                 | =
404                                               | 1 request, NotFoundError 404                               | = | =                                                                 | =
409                                               | 1 request, ConflictError 409                               | = | =                                                                 | =
422                                               | 1 request, UnprocessableError 422                          | = | =                                                                 | =
429                                               | 3 requests, RateLimitedError 429, 2 s                      | = | =                                                                 | =
429, Retry-After: 7                               | 3 requests, RateLimitedError 429, retry_after 7 s, 14 s    | = | =                                                                 | =
429, Retry-After: 0.5                             | 3 requests, RateLimitedError 429, retry_after 0.5 s, 1.5 s | = | =                                                                 | =
429, Retry-After: a date in 20 s                  | 3 requests, RateLimitedError 429, retry_after 20 s, 40 s   | = | =                                                                 | =
429, Retry-After: soon                            | 3 requests, RateLimitedError 429, 2 s                      | = | =                                                                 | =
429, Retry-After: 86400                           | 1 request, RateLimitedError 429, retry_after 86400 s       | = | =                                                                 | =
500                                               | 3 requests, ServerError 500, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 500                 | =
502                                               | 3 requests, ServerError 502, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 502                 | =
503                                               | 3 requests, ServerError 503, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 503                 | =
504                                               | 3 requests, ServerError 504, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 504                 | =
503, Retry-After: 7                               | 3 requests, ServerError 503, retry_after 7 s, 14 s         | = | 1 request, OutcomeUnknownError of ServerError 503                 | =
501                                               | 1 request, ServerError 501                                 | = | 1 request, OutcomeUnknownError of ServerError 501                 | =
502, a page of HTML                               | 3 requests, ServerError 502, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 502                 | =
520, a page of HTML                               | 3 requests, ServerError 520, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 520                 | =
521, a page of HTML                               | 3 requests, ServerError 521, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 521                 | =
522, a page of HTML                               | 3 requests, ServerError 522, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 522                 | =
523, a page of HTML                               | 3 requests, ServerError 523, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 523                 | =
524, a page of HTML                               | 3 requests, ServerError 524, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 524                 | =
200, broken JSON                                  | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
200, other types in the JSON                      | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
200, HTML                                         | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
200, no body                                      | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
200, more promised than sent                      | 3 requests, ConnectionLostError, 1.5 s                     | = | 1 request, OutcomeUnknownError of ConnectionLostError             | =
200, less promised than sent                      | 1 request, InvalidAnswerError                              | = | 1 request, OutcomeUnknownError of InvalidAnswerError              | =
200, more sent a second later                     | 1 request, ok                                              | = | =                                                                 | =
200, 30 MB in 30 KB of gzip                       | 1 request, ResponseTooLargeError                           | = | 1 request, OutcomeUnknownError of ResponseTooLargeError           | =
200, a body of 2 MB                               | 1 request, ResponseTooLargeError                           | = | 1 request, OutcomeUnknownError of ResponseTooLargeError           | =
500, a body of 2 MB                               | 3 requests, ServerError 500, 1.5 s                         | = | 1 request, OutcomeUnknownError of ServerError 500                 | =
200, a header of 1 MB                             | 1 request, ResponseTooLargeError                           | = | 1 request, OutcomeUnknownError of ResponseTooLargeError           | =
302 to the same origin                            | 1 request, RedirectError 302                               | = | =                                                                 | =
307 to another origin                             | 1 request, RedirectError 307                               | = | =                                                                 | =
"""


def expected() -> dict[str, tuple[str, ...]]:
    """Return what each fault comes to, with each method."""
    rows = ([cell.strip() for cell in line.split("|")] for line in EXPECTED.strip().splitlines())
    return {
        name: tuple(first if cell == "=" else cell for cell in (first, *others)) for name, first, *others in rows
    }


def document() -> str:
    """Write docs/faults.md."""
    rows = (
        f"| {' | '.join(cell.strip() for cell in line.split('|'))} |" for line in EXPECTED.strip().splitlines()
    )
    table = re.sub(r"\b([A-Z]\w+Error)\b", r"`\1`", "\n".join(rows))
    return f"{INTRODUCTION.strip()}\n\n{HEAD.strip()}\n{table}\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document())
