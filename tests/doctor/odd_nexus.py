"""A local Nexus whose answers a test changes on their way out, and what the doctor says of it."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web

from nexus_async.doctor import examine
from nexus_async.local import LocalNexus, ScriptedTrainer
from nexus_async.testing import client_for
from nexus_async.testing.virtual_time import EPOCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nexus_async.doctor import Report
    from nexus_async.local import LocalRun

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
    Change = Callable[[web.Response], web.StreamResponse]

WORDS = ("secret-key-of-the-test", "Line three", "someone@example.org")


class OddNexus(LocalNexus):
    """Change the answers whose path ends with what a test names, and write down what was asked."""

    def __init__(self, **options: Any) -> None:
        super().__init__(ScriptedTrainer(), secret_key=WORDS[0], epoch=EPOCH, **options)
        self.changes: dict[str, Change] = {}
        self.asked: list[tuple[str, str]] = []

    def _application(self) -> web.Application:
        app = super()._application()

        @web.middleware
        async def odd(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked.append((request.method, request.path))
            answer = await handler(request)
            for end, change in self.changes.items():
                if request.path.endswith(end) and isinstance(answer, web.Response):
                    return change(answer)
            return answer

        app.middlewares.insert(0, odd)
        return app

    def says(self, end: str, change: Callable[[Any], Any]) -> None:
        """Change the JSON of an answer."""
        self.changes[end] = lambda answer: web.json_response(change(json.loads(body_of(answer))))

    def fails(self, end: str, status: int) -> None:
        """Answer with a refusal that names what is private."""
        private = {"code": "Odd", "message": f"{WORDS[0]} {WORDS[2]}"}
        self.changes[end] = lambda _: web.json_response(private, status=status)

    def adds(self, end: str, **headers: str) -> None:
        """Add headers to an answer."""

        def add(answer: web.Response) -> web.Response:
            answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
            return answer

        self.changes[end] = add

    def train(self, *steps: int, over: bool = False) -> LocalRun:
        """Start a run that has checkpoints, and end it if need be."""
        run = self.start_run()
        for step in steps:
            run.checkpoint(step=step, totalLoss=1.0)
        if over:
            run.finish()
        return run


def body_of(answer: web.Response) -> bytes:
    assert isinstance(answer.body, bytes)
    return answer.body


@asynccontextmanager
async def odd_nexus(**options: Any) -> AsyncIterator[OddNexus]:
    async with OddNexus(**options) as nexus:
        yield nexus


async def report_on(nexus: LocalNexus, **options: Any) -> Report:
    async with client_for(nexus) as client:
        return await examine(client, **options)


def lines(report: Report, title: str = "") -> list[str]:
    """Return what a section says, or all of them, each line with its level."""
    return [
        f"{finding.level}: {finding.text}"
        for section in report.sections
        if title in section.title
        for finding in section.findings
    ]
