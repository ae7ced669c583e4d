"""Pass events on: `curl -N http://127.0.0.1:8000/events`. It needs `pip install fastapi uvicorn`."""

from __future__ import annotations

from collections.abc import AsyncIterator  # noqa: TC003 - it stays short
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from nexus_async import Client, Hub
from nexus_async.local import CurveTrainer, LocalNexus


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with (
        LocalNexus(CurveTrainer(interval=1)) as nexus,
        Client(nexus.secret_key, endpoint=nexus.url) as client,  # with a key of yours: Client() alone
        client.get_project(nexus.project_id).runs.watch(discovery_interval=1) as feed,
        feed.hub(replay=1000) as app.state.hub,
    ):
        nexus.start_run()
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/events")
async def events(request: Request, run_id: str | None = None) -> StreamingResponse:
    hub: Hub = app.state.hub
    after = request.headers.get("Last-Event-ID")
    return StreamingResponse(hub.sse(run_id, after=after), media_type="text/event-stream")


if __name__ == "__main__":
    uvicorn.run(app, timeout_graceful_shutdown=1)  # streams have no end: it would wait for them
