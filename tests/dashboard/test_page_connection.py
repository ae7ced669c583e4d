"""The page and its server: lost, found again, and resumed without a reload."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dashboard_pieces import local_project, proxied, seen, showing, until

from nexus_async import FixedInterval
from nexus_async.dashboard import Dashboard

if TYPE_CHECKING:
    from playwright.async_api import Page

    from nexus_async import Feed, Project


def watched(project: Project) -> Feed:
    return project.runs.watch(include_ended=True, pacing=FixedInterval(0.1), discovery_interval=0.2, settle=0.1)


async def test_a_restart_of_the_server_is_survived_without_a_reload(page: Page) -> None:
    async with local_project() as (nexus, project):
        run = nexus.start_run()
        run.checkpoint(step=1, totalLoss=1.0)
        async with watched(project) as feed, Dashboard(feed) as first:
            await page.goto(first.url)
            await page.wait_for_selector("tr[data-step='1']")
            await page.evaluate("window.isTheSame = true")
        await page.wait_for_selector("#link[data-state='lost']")
        assert "has not answered for" in str(await page.text_content("#trouble"))
        assert "data here is" in str(await page.text_content("#trouble"))
        run.checkpoint(step=2, totalLoss=0.5)
        port = int(first.url.rpartition(":")[2].partition("/")[0])
        async with watched(project) as feed, Dashboard(feed, port=port, token=first.token):
            await page.wait_for_selector("tr[data-step='2']")
            await page.wait_for_selector("#link[data-state='live']")
            assert await page.evaluate("window.isTheSame")
            assert not await page.is_visible("#trouble")


async def test_a_connection_that_broke_is_resumed_where_the_page_was(page: Page) -> None:
    async with showing() as shown, proxied(shown.dashboard) as (url, break_off):
        run = shown.nexus.start_run()
        run.checkpoint(step=1, totalLoss=1.0)
        await page.goto(url)
        await page.wait_for_selector("tr[data-step='1']")
        snapshots = (
            "window.snapshots = 0; link.source.addEventListener('snapshot', () => { window.snapshots += 1; })"
        )
        await page.evaluate(snapshots)
        break_off()
        await page.wait_for_selector("#link[data-state='lost']")
        run.checkpoint(step=2, totalLoss=0.5)
        await page.wait_for_selector("tr[data-step='2']")
        assert await page.evaluate("window.snapshots") == 0


async def test_a_server_with_another_token_is_told_as_such(page: Page) -> None:
    async with local_project() as (_, project):
        async with Dashboard(project) as first:
            await page.goto(first.url)
            await page.wait_for_selector("#link[data-state='live']")
        port = int(first.url.rpartition(":")[2].partition("/")[0])
        async with Dashboard(project, port=port):
            await seen(page, "document.querySelector('#trouble').textContent.includes('another token')")


async def test_a_silent_connection_is_given_up(page: Page) -> None:
    async with showing() as shown:
        await page.goto(shown.dashboard.url)
        await page.wait_for_selector("#link[data-state='live']")
        await page.evaluate("link.heardAt -= 60")
        await page.wait_for_selector("#link[data-state='lost']")
        await page.wait_for_selector("#link[data-state='live']")


async def test_an_api_that_does_not_answer_is_shown_with_the_age_of_the_data(page: Page) -> None:
    async with showing() as shown:
        run = shown.nexus.start_run()
        run.checkpoint(step=1, totalLoss=1.0)
        await page.goto(shown.dashboard.url)
        await page.wait_for_selector("tr[data-step='1']")
        shown.nexus.faults.add_text("any:503")
        await page.wait_for_selector("#link[data-state='outage']")
        told = str(await page.text_content("#trouble"))
        assert "Nexus has not answered for" in told
        assert "data here is" in told
        shown.nexus.faults.clear()
        await page.wait_for_selector("#link[data-state='live']")
        assert not await page.is_visible("#trouble")


async def test_the_end_of_the_feed_is_shown(page: Page) -> None:
    async with local_project() as (nexus, project), watched(project) as feed, Dashboard(feed) as dashboard:
        nexus.start_run()
        await page.goto(dashboard.url)
        await page.wait_for_selector("#link[data-state='live']")
        feed.stop()
        await page.wait_for_selector("#link[data-state='ended']")
        await until(lambda: dashboard.hub.stats().subscribers == 0)


async def test_a_feed_that_failed_says_why(page: Page) -> None:
    async with showing() as shown:
        await page.goto(shown.dashboard.url)
        await page.wait_for_selector("#link[data-state='live']")
        shown.nexus.faults.add_text("any:401")
        await page.wait_for_selector("#link[data-state='failed']")
        assert "401" in str(await page.text_content("#trouble"))
