"""Spans and metrics of a client, as the SDK of OpenTelemetry exports them, on virtual time."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from scripted_api import KEY, answers_after, calling, drops_in_the_answer, get_run, hangs, says, start_run

from nexus_async import Client, ClientClosedError, RequestError
from nexus_async.otel import OpenTelemetry, template_of
from nexus_async.testing.connector import VirtualConnector

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from nexus_async.local import LocalNexus

pytestmark = pytest.mark.virtual_time

RUN_LABELS = {
    "http.request.method": "GET",
    "url.template": "/projects/{id}/runs/{id}",
    "server.address": "127.0.0.1",
    "nexus_async.poll": False,
}


class Telemetry:
    """Keep what is exported of one client."""

    def __init__(self) -> None:
        self._exporter, self._reader = InMemorySpanExporter(), InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.hook = OpenTelemetry(
            tracer_provider=self.tracer_provider, meter_provider=MeterProvider([self._reader])
        )

    @property
    def spans(self) -> list[ReadableSpan]:
        return list(self._exporter.get_finished_spans())

    def points(self, name: str) -> list[Any]:
        """Give the points of one metric."""
        data = self._reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return [
            p
            for scope in scopes
            for metric in scope.metrics
            if metric.name == name
            for p in metric.data.data_points
        ]


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


async def told_of(telemetry: Telemetry, *steps: Any, call: Any = get_run, **options: Any) -> None:
    async with calling(*steps, on_call=telemetry.hook, **options) as (_, project):
        with suppress(RequestError):
            await call(project)


def attributes(thing: Any) -> dict[str, Any]:
    """Give the attributes of a span, an event or a point, without the port, which is another each time."""
    return {name: value for name, value in dict(thing.attributes).items() if name != "server.port"}


async def test_a_call_is_one_span(telemetry: Telemetry) -> None:
    async with calling(says(), on_call=telemetry.hook) as (api, project):
        await get_run(project)
        [span] = telemetry.spans
        assert (span.name, span.kind) == ("GET /projects/{id}/runs/{id}", trace.SpanKind.CLIENT)
        assert span.status.status_code is trace.StatusCode.UNSET
        assert dict(span.attributes or {}) == {
            **RUN_LABELS,
            "server.port": int(api.url.rpartition(":")[2]),
            "url.full": f"{api.url}/projects/proj_1/runs/run_1",
            "http.response.status_code": 200,
        }


async def test_attempts_are_events_of_the_span(telemetry: Telemetry) -> None:
    await told_of(telemetry, drops_in_the_answer, says(503, headers={"X-Request-Id": "req-7"}), says())
    [span] = telemetry.spans
    assert [event.name for event in span.events] == ["attempt"] * 3
    first, second, third = (attributes(event) for event in span.events)
    assert first["error.type"] == "ConnectionLostError"
    assert first["nexus_async.attempt.retry_in"] == 0.5
    assert (second["http.response.status_code"], second["error.type"]) == (503, "503")
    assert second["nexus_async.request_id"] == "req-7"
    assert (third["nexus_async.attempt.number"], third["http.response.status_code"]) == (3, 200)
    assert third.keys().isdisjoint({"error.type", "nexus_async.attempt.retry_in"})
    assert attributes(span)["http.request.resend_count"] == 2
    assert attributes(span)["http.response.status_code"] == 200


@pytest.mark.parametrize(
    ("steps", "call", "ends"),
    [
        ([says(404)], get_run, ("NotFoundError", "404", 404)),
        ([says(body=b"{")], get_run, ("InvalidAnswerError", "InvalidAnswerError", 200)),
        ([says(503), drops_in_the_answer], get_run, ("ConnectionLostError", "ConnectionLostError", None)),
        ([says(503)], start_run, ("OutcomeUnknownError", "OutcomeUnknownError", 503)),
    ],
)
async def test_a_call_that_fails_is_a_span_in_error(
    telemetry: Telemetry, steps: Any, call: Any, ends: tuple[str, str, int | None]
) -> None:
    await told_of(telemetry, *steps, call=call)
    [span] = telemetry.spans
    told = attributes(span)
    assert span.status.status_code is trace.StatusCode.ERROR
    assert (span.status.description, told["error.type"], told.get("http.response.status_code")) == ends


async def test_a_call_that_is_cancelled_is_a_span_in_error(telemetry: Telemetry) -> None:
    async with calling(hangs, on_call=telemetry.hook) as (_, project):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(get_run(project), 7)
    [span] = telemetry.spans
    assert attributes(span)["error.type"] == "CancelledError"
    assert [point.value for point in telemetry.points("nexus_async.calls.in_flight")] == [0]


async def test_a_call_without_an_attempt_is_a_span_without_events(telemetry: Telemetry) -> None:
    async with calling(says(), on_call=telemetry.hook) as (_, project):
        pass
    with pytest.raises(ClientClosedError):
        await get_run(project)
    [span] = telemetry.spans
    assert (span.events, attributes(span)["error.type"]) == ((), "ClientClosedError")


async def test_the_span_is_a_child_of_the_one_around_the_call(telemetry: Telemetry) -> None:
    tracer = telemetry.tracer_provider.get_tracer("a service")
    async with calling(says(), says(404), on_call=telemetry.hook) as (_, project):
        with tracer.start_as_current_span("outer") as outer:
            await get_run(project)
            with suppress(RequestError):
                await get_run(project)
            assert trace.get_current_span() is outer
    first, second, _ = telemetry.spans
    assert first.parent == second.parent == outer.get_span_context()


async def test_the_span_is_the_current_one_while_the_call_is_under_way(telemetry: Telemetry) -> None:
    seen = []
    observe = lambda attempt: seen.append(trace.get_current_span().get_span_context())  # noqa: E731 - one line
    await told_of(telemetry, says(), on_attempt=observe)
    assert seen == [telemetry.spans[0].context]


async def test_calls_at_once_have_spans_of_their_own(telemetry: Telemetry) -> None:
    async with calling(answers_after(1), on_call=telemetry.hook) as (_, project):
        await asyncio.gather(get_run(project), get_run(project))
    assert len({span.context.span_id for span in telemetry.spans if span.context}) == 2
    assert [span.parent for span in telemetry.spans] == [None, None]


async def test_the_duration_of_a_call_holds_its_pauses(telemetry: Telemetry) -> None:
    await told_of(telemetry, says(503), answers_after(2))
    [point] = telemetry.points("nexus_async.call.duration")
    assert point.sum == pytest.approx(2.5, abs=0.01)
    assert attributes(point) == {**RUN_LABELS, "http.response.status_code": 200}
    assert point.explicit_bounds[-1] == 120


async def test_attempts_are_counted_by_what_came_of_them(telemetry: Telemetry) -> None:
    await told_of(telemetry, says(503), says(503), says())
    counted = {attributes(p)["http.response.status_code"]: p for p in telemetry.points("nexus_async.attempts")}
    assert {status: point.value for status, point in counted.items()} == {503: 2, 200: 1}
    assert attributes(counted[503]) == {**RUN_LABELS, "http.response.status_code": 503, "error.type": "503"}


async def test_calls_under_way_are_counted(telemetry: Telemetry) -> None:
    async with calling(answers_after(5), on_call=telemetry.hook) as (_, project):
        call = asyncio.create_task(get_run(project))
        await asyncio.sleep(1)
        assert [point.value for point in telemetry.points("nexus_async.calls.in_flight")] == [1]
        await call
        assert [point.value for point in telemetry.points("nexus_async.calls.in_flight")] == [0]


async def test_polls_make_metrics_and_no_spans(local_nexus: LocalNexus, telemetry: Telemetry) -> None:
    run = local_nexus.start_run()
    run.checkpoint(step=1)
    run.finish()
    client = Client(
        local_nexus.secret_key, endpoint=local_nexus.url, connector=VirtualConnector, on_call=telemetry.hook
    )
    async with client.get_project(local_nexus.project_id) as project:
        assert [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id)] == [1]
    assert telemetry.spans == []
    templates = {attributes(point)["url.template"] for point in telemetry.points("nexus_async.attempts")}
    assert templates == {"/projects/{id}/runs/{id}", "/projects/{id}/runs/logs/{id}"}
    assert all(point.attributes["nexus_async.poll"] for point in telemetry.points("nexus_async.call.duration"))


async def test_neither_the_key_nor_what_the_api_said_is_exported(telemetry: Telemetry) -> None:
    said = {"code": "NoSuchThing", "message": f"a secret of the body, and {KEY}"}
    await told_of(telemetry, says(404, said))
    exported = " ".join(span.to_json() for span in telemetry.spans)
    assert "404" in exported
    assert KEY not in exported
    assert "a secret" not in exported


@pytest.mark.parametrize(("path", "template"), [
    ("/workspace", "/workspace"),
    ("/workspace/projects", "/workspace/projects"),
    ("/projects/p", "/projects/{id}"),
    ("/projects/proj_1/runs", "/projects/{id}/runs"),
    ("/projects/proj_1/runs/run_1/confusionMatrix", "/projects/{id}/runs/{id}/confusionMatrix"),
    ("/projects/proj_1/runs/logs/runlog_UjYx", "/projects/{id}/runs/logs/{id}"),
    ("/projects/proj_1/artifacts/artifact_5/exports", "/projects/{id}/artifacts/{id}/exports"),
    ("/projects/proj_1/assets/a%20name", "/projects/{id}/assets/{id}"),
    ("/" + "a" * 33, "/{id}"),
])  # fmt: skip
def test_a_template_has_no_id(path: str, template: str) -> None:
    assert template_of(path) == template


GLOBAL = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor
from nexus_async import Call
from nexus_async.otel import OpenTelemetry
import asyncio
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(provider)
async def main():
    with OpenTelemetry()(Call(method="GET", path="/workspace", endpoint="https://nexus.example", poll=False)):
        pass
asyncio.run(main())
"""


def test_the_providers_are_the_global_ones_by_default() -> None:
    done = subprocess.run([sys.executable, "-c", GLOBAL], capture_output=True, text=True, check=True)
    assert '"name": "GET /workspace"' in done.stdout
    assert '"server.port": 443' in done.stdout


def test_without_its_extra_it_says_what_to_install() -> None:
    hidden = "import sys; sys.modules['opentelemetry'] = None; import nexus_async.otel"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: nexus_async.otel needs opentelemetry-api: " in done.stderr
    assert "pip install '.[otel]'" in done.stderr
    assert "During handling" not in done.stderr
