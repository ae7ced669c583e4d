"""Spans and metrics of a client's calls, over the API of OpenTelemetry. Needs the extra `otel`.

The names follow the semantic conventions of HTTP clients where those fit: a span is a call with all its attempts,
not one request. Polls of streams, feeds and waits make metrics alone: a feed of a thousand runs would make a span
every few milliseconds, and none that anybody looks for. Nothing of a body, a header or a key is in either.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from nexus_async.config import VERSION
from nexus_async.errors import StatusError

try:
    from opentelemetry import metrics, trace
except ModuleNotFoundError:
    raise ModuleNotFoundError(
        "nexus_async.otel needs opentelemetry-api: install the package with its extra, as in "
        "pip install '.[otel]' in a clone",
        name="opentelemetry",
    ) from None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nexus_async.http.attempts import Attempt, Call

    Attributes = dict[str, str | int | float | bool]

__all__ = ["OpenTelemetry"]

_BOUNDARIES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds; those of HTTP clients, and on to the default timeout of a call."""
_SCHEMA: Final = "https://opentelemetry.io/schemas/1.30.0"
_COLLECTIONS: Final = frozenset({"projects", "workflows", "runs", "logs"})
_WORD = re.compile(r"[A-Za-z-]{1,32}")


class OpenTelemetry:
    """Make spans and metrics of calls: `Client(on_call=OpenTelemetry())`.

    `tracer_provider` and `meter_provider` default to the global ones. Metrics: `nexus_async.call.duration` in
    seconds, waiting, attempts and pauses included; `nexus_async.attempts`; `nexus_async.calls.in_flight`.
    A call's span is the current one while the call is under way, and a child of the one that was. Its attempts
    are its events.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer("nexus_async", VERSION, tracer_provider, _SCHEMA)
        meter = metrics.get_meter("nexus_async", VERSION, meter_provider, _SCHEMA)
        self._duration = meter.create_histogram(
            "nexus_async.call.duration",
            unit="s",
            description="Duration of calls and polls: waiting, attempts and pauses.",
            explicit_bucket_boundaries_advisory=_BOUNDARIES,
        )
        self._attempts = meter.create_counter(
            "nexus_async.attempts", unit="{attempt}", description="Attempts of calls and polls that have ended."
        )
        self._in_flight = meter.create_up_down_counter(
            "nexus_async.calls.in_flight",
            unit="{call}",
            description="Calls and polls that have begun and not ended.",
        )

    @contextmanager
    def __call__(self, call: Call) -> Iterator[Callable[[Attempt], None]]:
        """Follow one call: `Client` enters this when the call begins, and leaves it when it ends."""
        labels, course = _labels_of(call), _Course()
        self._in_flight.add(1, labels)
        try:
            with self._span(call, labels, course) as span:
                yield lambda attempt: self._note(attempt, labels, course, span)
        finally:
            self._in_flight.add(-1, labels)
            self._duration.record(course.seconds(), labels | course.outcome())

    @contextmanager
    def _span(self, call: Call, labels: Attributes, course: _Course) -> Iterator[trace.Span]:
        """Make the span of a call the current one; a poll has none."""
        if call.poll:
            with course:
                yield trace.INVALID_SPAN
            return
        with self._tracer.start_as_current_span(
            f"{call.method} {labels['url.template']}",
            kind=trace.SpanKind.CLIENT,
            attributes={**labels, "url.full": call.endpoint + call.path},
            record_exception=False,  # its message may repeat what the API said
            set_status_on_exception=False,
        ) as span:
            try:
                with course:
                    yield span
            finally:
                span.set_attributes(course.outcome() | course.resends())
                if course.error is not None:
                    span.set_status(trace.StatusCode.ERROR, type(course.error).__name__)

    def _note(self, attempt: Attempt, labels: Attributes, course: _Course, span: trace.Span) -> None:
        course.last = attempt
        came = _came(attempt)
        self._attempts.add(1, labels | came)
        if span.is_recording():
            span.add_event("attempt", came | _details_of(attempt))


class _Course:
    """Know how a call went until now. In a `with` around it, the error that it ends with as well."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self.last: Attempt | None = None
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace_back: object) -> None:
        self.error = error

    def seconds(self) -> float:
        return self._loop.time() - self._began

    def outcome(self) -> Attributes:
        """Tell what came of the last attempt, and the error that the caller got."""
        outcome = {} if self.last is None else _came(self.last)
        if self.error is None:
            return outcome
        return {**outcome, "error.type": _type_of(self.error)}

    def resends(self) -> Attributes:
        resends = 0 if self.last is None else self.last.number - 1
        return {"http.request.resend_count": resends} if resends else {}


def _labels_of(call: Call) -> Attributes:
    return {
        "http.request.method": call.method,
        "url.template": template_of(call.path),
        "nexus_async.poll": call.poll,
        **_server_of(call.endpoint),
    }


@lru_cache(maxsize=64)
def _server_of(endpoint: str) -> Attributes:
    parts = urlsplit(endpoint)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return {"server.address": parts.hostname or "", "server.port": port}


@lru_cache(maxsize=1024)
def template_of(path: str) -> str:
    """Put `{id}` in place of every ID of a path, so that there are few templates however many runs there are.

    An ID is what follows a collection, and whatever is no plain word.
    """
    parts = path.split("/")
    return "/".join(
        "{id}" if _is_id(part, before) else part for before, part in zip(["", *parts], parts, strict=False)
    )


def _is_id(part: str, before: str) -> bool:
    if not part or (before, part) == ("runs", "logs"):
        return False
    return before in _COLLECTIONS or not _WORD.fullmatch(part)


def _type_of(error: BaseException) -> str:
    """Name an error as the conventions do: by its status where it has one, else by its class."""
    return str(error.status) if isinstance(error, StatusError) else type(error).__name__


def _came(attempt: Attempt) -> Attributes:
    came: Attributes = {}
    if attempt.status is not None:
        came["http.response.status_code"] = attempt.status
    if attempt.error is not None:
        is_refusal = attempt.status is not None and not 200 <= attempt.status < 300  # noqa: PLR2004 - RFC 9110
        came["error.type"] = str(attempt.status) if is_refusal else attempt.error
    return came


def _details_of(attempt: Attempt) -> Attributes:
    details: Attributes = {
        "nexus_async.attempt.number": attempt.number,
        "nexus_async.attempt.seconds": attempt.seconds,
        "nexus_async.attempt.waited": attempt.waited,
        "http.response.body.size": attempt.received,
    }
    if attempt.retry_in is not None:
        details["nexus_async.attempt.retry_in"] = attempt.retry_in
    if attempt.request_id is not None:
        details["nexus_async.request_id"] = attempt.request_id
    return details
