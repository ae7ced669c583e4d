from __future__ import annotations

import logging
import os
import shutil
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from hypothesis import settings

from nexus_async.testing import pytest_asyncio_loop_factories  # noqa: F401 - a hook

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from playwright.async_api import Page

    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

settings.register_profile("nexus", deadline=None)  # no test asserts on time
settings.load_profile("nexus")


@pytest.fixture(autouse=True)
def as_the_log_was() -> Iterator[None]:
    """Leave the log as it was: a command that a test runs within its process shows it."""
    log = logging.getLogger("nexus_async")
    level, handlers = log.level, list(log.handlers)
    yield
    log.setLevel(level)
    log.handlers[:] = handlers


@pytest.fixture
def project(local_nexus: LocalNexus, nexus_client: Client) -> Project:
    return nexus_client.get_project(local_nexus.project_id)


@pytest_asyncio.fixture
async def page(complaints: list[str]) -> AsyncIterator[Page]:
    """Open an empty page of a real browser, whose complaints are written down."""
    if CHROMIUM is None:
        pytest.skip("NO BROWSER, so no page is tested: apt-get install chromium, or set CHROMIUM to one")
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        await browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """Return what a page complained of: errors on its console, and those that it did not catch."""
    return []
