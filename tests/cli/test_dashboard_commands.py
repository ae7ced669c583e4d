"""`dashboard` and `runs report` as processes."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nexus_async.local import LocalNexus

PIPE = asyncio.subprocess.PIPE


@asynccontextmanager
async def running(nexus: LocalNexus, *words: str, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a command against a local Nexus."""
    known = {
        "DATATURE_API_BASE_URL": nexus.url,
        "DATATURE_SECRET_KEY": nexus.secret_key,
        "DATATURE_PROJECT": nexus.project_id,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "nexus_async", *words, stdout=PIPE, stderr=PIPE, env={**os.environ, **known, **more}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def said(nexus: LocalNexus, *words: str) -> tuple[int | None, str, str]:
    async with running(nexus, *words) as process:
        out, err = await asyncio.wait_for(process.communicate(), 60)
        return process.returncode, out.decode(), err.decode()


async def url_of(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    return (await asyncio.wait_for(process.stdout.readline(), 60)).decode().strip()


async def status(url: str, method: str = "GET", **options: object) -> int:
    async with aiohttp.ClientSession() as web, web.request(method, url, **options) as answer:  # type: ignore[arg-type]  # what a test passes
        return answer.status


async def test_dashboard_prints_its_url_and_serves_until_ctrl_c(local_nexus: LocalNexus) -> None:
    async with running(local_nexus, "dashboard") as process:
        url = await url_of(process)
        assert url.startswith("http://127.0.0.1:")
        assert await status(url) == 200
        assert await status(url.partition("?")[0]) == 401
        process.send_signal(signal.SIGINT)
        _, err = await asyncio.wait_for(process.communicate(), 30)
        assert (process.returncode, b"Traceback" in err) == (130, False)


async def test_its_port_its_token_and_its_permission_to_kill_can_be_chosen(
    local_nexus: LocalNexus, unused_tcp_port: int
) -> None:
    run = local_nexus.start_run()
    options = ("dashboard", "--port", str(unused_tcp_port), "--allow-kill")
    async with running(local_nexus, *options, NEXUS_ASYNC_DASHBOARD_TOKEN="a-token-of-a-test") as process:
        url = await url_of(process)
        assert url == f"http://127.0.0.1:{unused_tcp_port}/?token=a-token-of-a-test"
        killing = url.replace("/?", f"/projects/{local_nexus.project_id}/runs/{run.id}/kill?")
        assert await status(killing, "POST", json={}) == 200
        assert run.overview == "Cancelled"


async def test_it_kills_nothing_by_default(local_nexus: LocalNexus) -> None:
    run = local_nexus.start_run()
    async with running(local_nexus, "dashboard", "--ended", "0") as process:
        url = (await url_of(process)).replace("/?", f"/projects/{local_nexus.project_id}/runs/{run.id}/kill?")
        assert await status(url, "POST", json={}) == 403


async def test_it_listens_where_it_is_told(local_nexus: LocalNexus) -> None:
    async with running(local_nexus, "dashboard", "--host", "::1") as process:
        assert (await url_of(process)).startswith("http://[::1]:")


async def test_it_opens_a_browser_where_it_is_told_with_what_is_worth_nothing_to_who_sees_it(
    local_nexus: LocalNexus, tmp_path: Path
) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    browser.chmod(0o755)
    async with running(local_nexus, "dashboard", "--open", BROWSER=f"{browser} %s") as process:
        url = await url_of(process)
        async with asyncio.timeout(30):
            while not (opened.exists() and opened.read_text().strip()):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
        asked = opened.read_text().strip()
        assert asked.startswith(url.partition("?")[0])
        assert url.partition("token=")[2] not in asked
        assert [await status(asked), await status(asked)] == [200, 401]


async def test_a_port_that_is_taken_is_told_with_the_remedy(local_nexus: LocalNexus) -> None:
    port = local_nexus.url.rpartition(":")[2]
    code, out, err = await said(local_nexus, "dashboard", "--port", port)
    assert (code, out) == (1, "")
    assert "--port 0" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("options", "name"), [((), "report.html"), (("-o", "other.html"), "other.html")])
async def test_report_writes_one_file_and_prints_its_path(
    local_nexus: LocalNexus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = local_nexus.start_run()
    run.checkpoint(step=1, totalLoss=0.5)
    code, out, err = await said(local_nexus, "runs", "report", "@latest", *options)
    assert (code, out) == (0, f"{name}\n")
    assert "A report of one run" in err
    assert run.id in (tmp_path / name).read_text()


async def test_a_report_that_cannot_be_written_is_told(local_nexus: LocalNexus, tmp_path: Path) -> None:
    local_nexus.start_run()
    code, out, err = await said(local_nexus, "runs", "report", "@latest", "-o", str(tmp_path))
    assert (code, out) == (1, "")
    assert f"cannot write {tmp_path}" in err


async def test_a_report_needs_a_run(local_nexus: LocalNexus) -> None:
    code, _, err = await said(local_nexus, "runs", "report")
    assert (code, "which run?" in err) == (2, True)
