"""Take the pictures of the documents: the live page, the report and the terminal, of six real trainings.

`make pictures` runs it. It needs Chromium and tmux.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from dashboard_pieces import local_project, until
from playwright.async_api import async_playwright
from rich.console import Console
from rich.text import Text

from nexus_async import FixedInterval
from nexus_async.dashboard import Dashboard, reported_runs, write_report
from nexus_async.local import DigitsTrainer

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

    from nexus_async import Project
    from nexus_async.local import LocalNexus

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
TMUX: Final = ("tmux", "-L", "nexus-async-pictures")
COLUMNS, LINES = 108, 12
SETUP: Final = {
    "accelerator": {"name": "GPU_T4"},
    "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST", "evaluation_interval": 5},
    "limit": {"metric": "LIM_EPOCHS", "value": 60},
    "advanced_evaluation": True,
}


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    async with (
        async_playwright() as playwright,
        local_project(DigitsTrainer(steps=60, step_seconds=0.35)) as (nexus, project),
    ):
        browser = await playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"), args=["--no-sandbox"]
        )
        for flow in await project.workflows.list():
            await project.runs.start(flow.id, SETUP)
        await trained(nexus, 5)
        open_terminal(nexus)
        await take_pages(browser, nexus, project)
        await take_terminal(browser)
        await asyncio.gather(*(run.wait_over() for run in nexus.runs.values()))
        await take_report(browser, project)
        await browser.close()
    print(sum(file.stat().st_size for file in PICTURES.glob("*.png")) // 1000, "KB in all")  # noqa: T201


async def trained(nexus: LocalNexus, steps: int) -> None:
    await until(lambda: all(run.steps_seen >= steps for run in nexus.runs.values()))


async def take_pages(browser: Browser, nexus: LocalNexus, project: Project) -> None:
    feed = project.runs.watch(include_ended=True, pacing=FixedInterval(0.3), discovery_interval=0.5)
    async with feed, Dashboard(feed, projects=[project], allow_kill=True) as dashboard:
        page = await browser.new_page(viewport={"width": 1280, "height": 870}, color_scheme="light")
        await page.goto(dashboard.url)
        await trained(nexus, 20)
        diverging = next(run for run in nexus.runs.values() if "too fast" in run.workflow.title)
        await project.runs.kill(diverging.id)
        await page.wait_for_selector(".status.cancelled")
        await page.check("#log")
        await choose(page, "Perceptron 32")
        await asyncio.sleep(4)
        await page.hover("#charts .u-over", position={"x": 320, "y": 150})
        await asyncio.sleep(0.5)
        await page.set_viewport_size({"width": 1280, "height": 770})
        await take(page, "page-light")
        await page.set_viewport_size({"width": 1280, "height": 870})
        await page.click("#theme")
        await page.fill("#smooth", "0.7")
        await page.click("#metrics >> text=accuracy")
        await page.uncheck(f"tr[data-run='{diverging.id}'] .swatch")
        await page.mouse.move(0, 0)
        await asyncio.sleep(1)
        await take(page, "page-dark")
        await take_narrow(browser, dashboard.url)


async def take_narrow(browser: Browser, url: str) -> None:
    page = await browser.new_page(viewport={"width": 390, "height": 844}, color_scheme="light")
    await page.goto(url)
    await page.wait_for_selector("#matrix table")
    await page.check("#log")
    await choose(page, "Perceptron 64x32")
    await asyncio.sleep(1)
    await page.screenshot(path=PICTURES / "page-390.png", full_page=True)


async def take_report(browser: Browser, project: Project) -> None:
    with TemporaryDirectory() as folder:
        runs = await reported_runs(project, [run.id for run in await project.runs.list()])
        path = write_report(Path(folder) / "report.html", *runs)
        page = await browser.new_page(viewport={"width": 1280, "height": 760}, color_scheme="light")
        await page.goto(path.as_uri())
        await page.check("#log")
        await choose(page, "Logistic regression")
        await asyncio.sleep(0.5)
        await take(page, "report")


async def choose(page: Page, title: str) -> None:
    await page.click(f"#runs tbody th button:has(span:text-is('{title}'))")
    await page.wait_for_selector("#matrix table")


async def take(page: Page, name: str) -> None:
    await page.screenshot(path=PICTURES / f"{name}.png")


def open_terminal(nexus: LocalNexus) -> None:
    known = {
        "DATATURE_API_BASE_URL": nexus.url,
        "DATATURE_SECRET_KEY": nexus.secret_key,
        "DATATURE_PROJECT": nexus.project_id,
        "COLORTERM": "truecolor",
    }
    variables = [word for name, value in known.items() for word in ("-e", f"{name}={value}")]
    command = f"{sys.executable} -m nexus_async watch"
    size = ("-x", str(COLUMNS), "-y", str(LINES))
    subprocess.run([*TMUX, "new-session", "-d", *size, *variables, command], check=True)


async def take_terminal(browser: Browser) -> None:
    page = await browser.new_page(viewport={"width": 1000, "height": 400})
    await page.set_content(f"<body style='margin:0'>{close_terminal()}</body>")
    await page.locator("svg").first.screenshot(path=PICTURES / "terminal.png")


def close_terminal() -> str:
    """Return what a real terminal shows, as SVG."""
    capture = [*TMUX, "capture-pane", "-p", "-e"]
    shown = subprocess.run(capture, check=True, capture_output=True, text=True).stdout
    subprocess.run([*TMUX, "kill-server"], check=False)
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(shown.rstrip()))
    return console.export_svg(title="nexus-async watch")


if __name__ == "__main__":
    asyncio.run(main())
