"""The dashboard over real sockets: who is let in, what a page is told, and how it ends."""

from __future__ import annotations

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from dashboard_pieces import CLASSES, address, first_messages, local_project, session, showing, until

from nexus_async import AuthenticationError, ConfigurationError, FixedInterval, decode_event
from nexus_async.dashboard import Dashboard, dashboard as module, routes
from nexus_async.local import CurveTrainer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from dashboard_pieces import Showing

    from nexus_async import Project
    from nexus_async.local import LocalRun

TOKEN = "the-token-of-a-test"


async def test_the_page_is_for_whoever_has_the_url() -> None:
    async with showing() as shown, session() as web:
        async with web.get(address(shown.dashboard)) as refused:
            assert (refused.status, await refused.text()) == (
                401,
                "open the URL that the dashboard printed: the token is in it\n",
            )
        async with web.get(shown.dashboard.url) as page:
            assert (page.status, page.content_type) == (200, "text/html")
        async with web.get(address(shown.dashboard)) as again:  # by its cookie
            assert again.status == 200


async def test_the_token_is_random_and_stays_with_the_dashboard() -> None:
    async with showing() as one, showing() as other:
        assert one.dashboard.token != other.dashboard.token
        assert len(one.dashboard.token) >= 32
        assert one.dashboard.token in one.dashboard.url


async def test_a_token_and_a_port_can_be_chosen() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with showing(token=TOKEN, port=port) as shown:
        assert shown.dashboard.url == f"http://127.0.0.1:{port}/?token={TOKEN}"


async def test_the_cookie_is_for_no_script_and_no_other_site() -> None:
    async with showing() as shown, session() as web, web.get(shown.dashboard.url) as page:
        [cookie] = page.cookies.values()
        assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")


async def test_a_new_url_lets_one_browser_in_once_and_does_not_tell_the_token() -> None:
    async with showing() as shown, session() as web, session() as other:
        url = shown.dashboard.new_url()
        assert shown.dashboard.token not in url
        async with web.get(url) as page:
            assert page.status == 200
        async with other.get(url) as late:
            assert late.status == 401
        async with web.get(address(shown.dashboard)) as again:  # by its cookie
            assert again.status == 200


async def test_a_link_with_another_token_takes_the_cookie_from_nobody() -> None:
    async with showing() as shown, session() as web:
        async with web.get(shown.dashboard.url):
            pass
        async with web.get(f"{address(shown.dashboard)}?token=another") as page:
            assert (page.status, dict(page.cookies)) == (200, {})


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
async def test_a_foreign_host_or_origin_is_refused_whatever_it_knows(headers: dict[str, str]) -> None:
    async with showing() as shown, session() as web:
        for path in ("/", "/events", "/titles"):
            url = f"{address(shown.dashboard, path)}?token={shown.dashboard.token}"
            async with web.get(url, headers=headers) as answer:
                assert answer.status == 403


async def test_its_headers_keep_other_sites_out() -> None:
    async with showing() as shown, session() as web, web.get(shown.dashboard.url) as page:
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"


async def told(
    shown: Showing, count: int, *, headers: dict[str, str] | None = None, after: str = ""
) -> list[dict[str, str]]:
    url = f"{address(shown.dashboard, '/events')}?token={shown.dashboard.token}{after}"
    async with session() as web, web.get(url, headers=headers or {}) as answer:
        assert answer.content_type == "text/event-stream"
        return await first_messages(answer, count)


async def until_told(shown: Showing, step: int) -> None:
    """Wait until the dashboard knows a checkpoint."""
    async with shown.dashboard.hub.subscribe() as events:
        async for event in events:
            if getattr(event, "step", None) == step:
                break
    await asyncio.sleep(0)


async def test_a_page_begins_with_all_that_is_known_and_goes_on_with_events() -> None:
    async with showing() as shown:
        run = shown.nexus.start_run()
        run.checkpoint(step=1, totalLoss=0.5)
        await until_told(shown, 1)
        telling = asyncio.create_task(told(shown, 3))
        await asyncio.sleep(0.1)
        run.checkpoint(step=2, totalLoss=0.4)
        hello, snapshot, event = await telling
    assert (hello["event"], json.loads(hello["data"])["allowKill"]) == ("hello", False)
    [row] = json.loads(snapshot["data"])["runs"]
    assert (snapshot["event"], row["steps"]) == ("snapshot", [1])
    assert decode_event(event["data"]).step == 2  # type: ignore[attr-defined]  # a checkpoint


async def test_a_page_that_comes_later_begins_with_all_that_is_known_then() -> None:
    async with showing() as shown:
        run = shown.nexus.start_run()
        for step in (1, 2):
            run.checkpoint(step=step, totalLoss=0.5)
            await until_told(shown, step)
            _, snapshot = await told(shown, 2)
            assert json.loads(snapshot["data"])["runs"][0]["steps"][-1] == step


async def test_a_page_that_was_away_is_told_what_it_missed_alone() -> None:
    async with showing() as shown:
        run = shown.nexus.start_run()
        run.checkpoint(step=1)
        await until_told(shown, 1)
        *_, snapshot = await told(shown, 2)
        run.checkpoint(step=2)
        await until_told(shown, 2)
        for asked in ({"headers": {"Last-Event-ID": snapshot["id"]}}, {"after": f"&after={snapshot['id']}"}):
            _, missed = await told(shown, 2, **asked)
            assert decode_event(missed["data"]).step == 2  # type: ignore[attr-defined]  # a checkpoint


async def test_a_place_of_another_dashboard_begins_anew() -> None:
    async with showing() as shown:
        _, snapshot = await told(shown, 2, headers={"Last-Event-ID": "abcd-1"})
        assert snapshot["event"] == "snapshot"


async def test_titles_are_those_of_its_projects() -> None:
    async with showing() as shown, session() as web:
        async with web.get(shown.dashboard.url):
            pass
        async with web.get(address(shown.dashboard, "/titles")) as answer:
            titles = await answer.json()
    assert titles["projects"] == {shown.project.id: "Handwritten digits"}
    assert "Perceptron 32" in titles["flows"].values()


def path_of(shown: Showing, run_id: str, what: str, project_id: str | None = None) -> str:
    path = f"/projects/{project_id or shown.project.id}/runs/{run_id}/{what}"
    return f"{address(shown.dashboard, path)}?token={shown.dashboard.token}"


async def test_matrices_are_asked_for_once_for_all_pages() -> None:
    async with showing() as shown, session() as web:
        run = shown.nexus.start_run()
        run.evaluate(5, CLASSES, [[3, 1, 0], [0, 4, 0], [1, 0, 0]])

        async def matrices() -> object:
            async with web.get(path_of(shown, run.id, "matrices")) as answer:
                return await answer.json()

        first, second = await asyncio.gather(matrices(), matrices())
        run.evaluate(6, CLASSES, [[3, 1, 0], [0, 4, 0], [1, 0, 0]])
        assert first == second == await matrices()
        assert first == [
            {"evaluation": "5", "classes": list(CLASSES), "counts": [[3, 1, 0], [0, 4, 0], [1, 0, 0]]}
        ]


async def test_what_nexus_refuses_is_answered_with_its_words() -> None:
    async with showing() as shown, session() as web:
        async with web.get(path_of(shown, "run_1", "matrices", project_id="proj_1")) as answer:
            assert (answer.status, "proj_1" in await answer.text()) == (404, True)
        async with web.get(path_of(shown, "run_1", "matrices")) as answer:
            assert (answer.status, await answer.json()) == (200, [])


async def test_nothing_is_killed_unless_that_is_allowed() -> None:
    async with showing() as shown, session() as web:
        run = shown.nexus.start_run()
        async with web.post(path_of(shown, run.id, "kill"), json={}) as answer:
            assert (answer.status, "--allow-kill" in await answer.text()) == (403, True)
        assert run.overview == "Creating"


async def test_a_run_is_killed_where_it_is_allowed_by_json_from_the_page_itself() -> None:
    async with showing(allow_kill=True) as shown, session() as web:
        run = shown.nexus.start_run()
        for refused in (
            {"data": "{}"},
            {"json": {}, "headers": {"Origin": "http://evil.example"}},
        ):
            async with web.post(path_of(shown, run.id, "kill"), **refused) as answer:
                assert answer.status in {403, 415}
        assert run.overview == "Creating"
        async with web.post(path_of(shown, run.id, "kill"), json={}) as answer:
            assert await answer.json() == {"status": "Cancelled"}
        assert run.overview == "Cancelled"


@asynccontextmanager
async def stuck_page(shown: Showing) -> AsyncIterator[None]:
    """Open the stream, and take nothing in."""
    host, port = address(shown.dashboard, "").removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1)
    writer.write(f"GET /events?token={shown.dashboard.token} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    try:
        yield
    finally:
        writer.transport.abort()


def write_much(run: LocalRun) -> None:
    """Write more than a socket holds."""
    for step in range(400):
        run.checkpoint(step=step, message="x" * 30_000)


async def test_a_page_that_stops_reading_does_not_delay_the_feed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "PAGE_BUFFER", 100)
    monkeypatch.setattr(routes, "GATHER", 0.0)
    async with showing() as shown, stuck_page(shown):
        run = shown.nexus.start_run()
        write_much(run)
        async with asyncio.timeout(60):
            await until_told(shown, 399)
            await until(lambda: shown.dashboard.hub.stats().cut == 1)
            run.checkpoint(step=400)
            await until_told(shown, 400)


async def test_a_page_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes, "SEND_TIMEOUT", 0.2)
    async with showing() as shown, stuck_page(shown):
        write_much(shown.nexus.start_run())
        await until_told(shown, 399)
        await until(lambda: shown.dashboard.hub.stats().subscribers == 1)  # its own board


async def test_what_ended_the_feed_is_told_to_pages_and_raised() -> None:
    async with showing() as shown:
        telling = asyncio.create_task(told(shown, 4))
        await asyncio.sleep(0.3)
        shown.nexus.faults.add_text("any:401")
        *_, failed = await telling
        assert (failed["event"], "401" in json.loads(failed["data"])) == ("failed", True)
        with pytest.raises(AuthenticationError):
            await shown.dashboard.wait()


async def test_the_end_of_the_feed_is_told() -> None:
    async with local_project(CurveTrainer(steps=2, interval=0.1)) as (nexus, project):
        nexus.start_run()
        async with (
            project.runs.watch(
                stop_when_all_ended=True, pacing=FixedInterval(0.1), settle=0.1, discovery_interval=0.1
            ) as feed,
            Dashboard(feed) as dashboard,
        ):
            await asyncio.wait_for(dashboard.wait(), 30)
            async with (
                session() as web,
                web.get(f"{address(dashboard, '/events')}?token={dashboard.token}") as answer,
            ):
                assert [each["event"] for each in await first_messages(answer, 3)] == ["hello", "snapshot", "end"]


async def test_closed_and_entered_anew_it_has_its_port_and_its_token() -> None:
    async with local_project() as (_, project):
        dashboard = Dashboard(project)
        urls = []
        for _ in range(2):
            async with dashboard, session() as web, web.get(dashboard.url) as page:
                urls.append(dashboard.url)
                assert page.status == 200
        assert urls[0] == urls[1]


async def test_a_project_shows_its_last_runs_that_are_over() -> None:
    async with local_project() as (nexus, project):
        for _ in range(3):
            nexus.start_run().finish()
        going_on = nexus.start_run()
        async with Dashboard(project, ended=1) as dashboard, asyncio.timeout(30):
            async for event in dashboard.hub.subscribe():
                if getattr(event, "outcome", None):
                    break
            runs = {getattr(event.event, "run_id", "") for event in dashboard.hub._ring.held}
        assert len(runs) == 2
        assert going_on.id in runs


async def test_its_clock_is_what_pages_go_by() -> None:
    async with showing(clock=lambda: 12.5) as shown:
        hello, *_ = await told(shown, 1)
        assert json.loads(hello["data"])["now"] == 12.5


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"port": -1}, "port=-1"),
        ({"port": 70_000}, "port=70000"),
        ({"port": True}, "port=True"),
        ({"token": "short"}, "16 letters"),
        ({"token": "with a space in the middle"}, "16 letters"),
        ({"ended": -1}, "ended=-1"),
        ({"projects": []}, "projects="),
    ],
)
async def test_what_makes_no_sense_is_refused(options: dict[str, object], named: str) -> None:
    async with local_project() as (_, project):
        with pytest.raises(ConfigurationError, match=named):
            Dashboard(project, **options)  # type: ignore[arg-type]  # it is what is tested


async def test_what_is_neither_a_project_nor_a_feed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="neither a project nor a feed"):
        Dashboard("proj_1")  # type: ignore[arg-type]  # it is what is tested


async def test_what_is_for_a_project_is_refused_for_a_feed() -> None:
    async with local_project() as (_, project), project.runs.watch() as feed:
        with pytest.raises(ConfigurationError, match="ended="):
            Dashboard(feed, ended=3)


async def test_it_is_entered_once_and_used_inside() -> None:
    async with local_project() as (_, project):
        dashboard = Dashboard(project)
        with pytest.raises(RuntimeError, match="no port yet"):
            _ = dashboard.url
        async with dashboard:
            with pytest.raises(RuntimeError, match="entered already"):
                await dashboard.__aenter__()
        with pytest.raises(RuntimeError, match="inside `async with`"):
            await dashboard.wait()


async def test_without_its_extra_it_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install '\.\[dashboard\]'"):
        Dashboard(project)
