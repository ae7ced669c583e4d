"""A report is the page with its data, in one file that opens from disk."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from dashboard_pieces import CLASSES, checkpoint, local_project, run_of, seen

from nexus_async import InvalidArgumentError, NotFoundError
from nexus_async.dashboard import ReportedRun, reported_runs, write_report
from nexus_async.dashboard.curve import Curve

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.async_api import Page

EVIL = "</script><img src=x onerror=alert(1)><!--\u2028"
METRICS = ("totalLoss", "boxLoss", "classificationLoss", "distributedFocalLoss", "accuracy")


def reported(
    run_id: str = "run_1", *, checkpoints: int = 3, evaluations: int = 1, title: str = "My flow", classes: int = 3
) -> ReportedRun:
    curve = Curve()
    for step in range(checkpoints):
        values = dict.fromkeys(METRICS, step * 7919 % 10007 / 313.7 + 0.0001)
        curve.add(checkpoint(step, run_id, **values))
    names = [f"class {i}" for i in range(classes)]
    counts = [[i * j for j in range(classes)] for i in range(classes)]
    matrices = [{"evaluation": str(i), "classes": names, "counts": counts} for i in range(evaluations)]
    return ReportedRun(run=run_of(run_id, "Finished"), title=title, curve=curve, matrices=matrices)


def data_of(path: Path) -> Any:
    found = re.search(r'id="data">(.*?)</script>', path.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return json.loads(found[1])


def test_ten_runs_of_a_thousand_checkpoints_are_under_400_kb(tmp_path: Path) -> None:
    runs = [reported(f"run_{i}", checkpoints=1000, evaluations=100, classes=11) for i in range(10)]
    assert write_report(tmp_path / "r.html", *runs).stat().st_size < 400_000


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    runs = [reported(f"run_{i}", checkpoints=1000, evaluations=100, classes=20) for i in range(10)]
    data = data_of(write_report(tmp_path / "r.html", *runs))
    [row, *_] = data["runs"]
    assert (row["count"], 200 < len(row["steps"]) < 1000) == (1000, True)
    kept = [each["evaluation"] for each in data["matrices"]["run_0"]]
    assert (data["evaluations"]["run_0"], kept[-1], len(kept)) == (100, "99", 5)


def test_of_large_matrices_the_last_is_kept(tmp_path: Path) -> None:
    data = data_of(write_report(tmp_path / "r.html", reported(evaluations=3, classes=200)))
    assert [each["evaluation"] for each in data["matrices"]["run_1"]] == ["2"]


def test_a_small_report_has_all(tmp_path: Path) -> None:
    data = data_of(write_report(tmp_path / "r.html", reported(checkpoints=900, evaluations=20)))
    assert (len(data["runs"][0]["steps"]), len(data["matrices"]["run_1"])) == (900, 20)


def test_a_report_about_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="one run at least"):
        write_report(tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()


def test_a_report_needs_nothing_of_an_extra() -> None:
    program = "import nexus_async.dashboard, sys; sys.exit('aiohttp_sse' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_a_report_is_read_from_a_project(tmp_path: Path) -> None:
    async with local_project() as (nexus, project):
        run, bare = nexus.start_run(), nexus.start_run()
        run.checkpoint(step=1, totalLoss="NaN")
        run.evaluate(1, CLASSES, [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
        run.finish()
        read = await reported_runs(project, [run.id, bare.id])
        data = data_of(write_report(tmp_path / "r.html", *read))
    assert [row["run"]["id"] for row in data["runs"]] == [run.id, bare.id]
    assert data["runs"][0]["metrics"] == {"totalLoss": ["NaN"]}
    assert data["runs"][0]["title"] == "Logistic regression"
    assert (len(data["matrices"][run.id]), data["matrices"][bare.id]) == (1, [])


async def test_a_run_that_is_not_there_is_an_error() -> None:
    async with local_project() as (_, project):
        with pytest.raises(NotFoundError):
            await reported_runs(project, ["run_610ba26c-6fbb-42eb-b838-839c61b68b26"])


async def test_it_opens_from_disk_draws_and_asks_for_nothing(
    page: Page, complaints: list[str], tmp_path: Path
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    runs = [reported(f"run_{i}", checkpoints=1000, evaluations=3) for i in range(10)]
    path = write_report(tmp_path / "r.html", *runs)
    await page.goto(path.as_uri())
    await page.wait_for_selector("#charts [data-curves='10']")
    await page.wait_for_selector("#matrix table")
    assert await page.text_content("#link") == "report"
    assert "of 10,000 checkpoints" in str(await page.text_content("#thinned"))
    await page.fill("#evaluation", "0")
    await page.check("#log")
    await page.wait_for_selector("#charts [data-scale='log']")
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert complaints == []


async def test_its_data_is_as_old_as_it_was_then_however_long_it_is_open(page: Page, tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", reported())
    await page.clock.install()
    await page.goto(path.as_uri())
    await page.clock.run_for(1_000)
    await seen(page, "document.querySelector('#freshness').textContent.startsWith('data ')")
    then = await page.text_content("#freshness")
    await page.clock.fast_forward(3 * 86_400_000)
    await page.click("#theme")
    await page.clock.run_for(1_000)
    assert await page.text_content("#freshness") == then


async def test_names_in_it_stay_text(page: Page, complaints: list[str], tmp_path: Path) -> None:
    path = write_report(tmp_path / "r.html", reported(title=EVIL))
    await page.goto(path.as_uri())
    await seen(page, "document.querySelector('#runs tbody th span')?.textContent.includes('<img src=x')")
    assert await page.locator("img").count() == 0
    assert complaints == []
