"""The page is one, small, complete in itself, and what is put into it stays data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from nexus_async.dashboard import page as module
from nexus_async.dashboard.page import encoded, page_with, policy

FOLDER = Path(module.__file__).with_name("page")


def data_of(page: str) -> object:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_page_is_small_in_all() -> None:
    assert len(page_with({"live": True}).encode()) < 120_000


def test_every_file_of_the_page_is_in_it() -> None:
    page = page_with({})
    for file in FOLDER.glob("*.[jc]s*"):
        assert file.read_text() in page


def test_the_pictures_of_the_documents_are_small() -> None:
    pictures = list((Path(__file__).parents[2] / "docs" / "pictures").glob("*.png"))
    assert {"page-light", "page-dark", "page-390", "report", "terminal"} <= {file.stem for file in pictures}
    assert sum(file.stat().st_size for file in pictures) < 600_000


def test_it_loads_nothing() -> None:
    page = page_with({})
    assert not re.findall(r"""(?:src|href)=["'](?!data:,)""", page)
    assert not re.findall(r"@import|url\(", page)


def test_its_policy_names_the_digests_of_what_runs_and_no_more() -> None:
    blocks = re.findall(r"<(script|style)>(.*?)</\1>", page_with({}), re.DOTALL)
    digests = {f"'sha256-{base64.b64encode(hashlib.sha256(b.encode()).digest()).decode()}'" for _, b in blocks}
    assert len(digests) == 3
    assert set(re.findall(r"'sha256-[^']+'", policy())) == digests
    assert "unsafe" not in policy()
    assert f'content="{policy()}"' in page_with({})


def test_nothing_in_its_scripts_reads_text_as_markup() -> None:
    for file in FOLDER.glob("*.js"):
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", file.read_text())


def test_the_library_is_there_with_its_licence() -> None:
    text = (FOLDER / "uplot.js").read_text()
    assert "The MIT License (MIT)" in text
    assert "Leon Sorokin" in text


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "<!--<script>", "\u2028\u2029", "]]>&amp;", "{{script}}"]
)
def test_no_name_ends_the_data(name: str) -> None:
    page = page_with({"name": name})
    assert data_of(page) == {"name": name}
    assert page.count("</script>") == page_with({}).count("</script>")
    assert not re.search("[\u2028\u2029]", page)


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    assert data_of(page_with({"x": text})) == {"x": text}


def test_what_no_utf_8_can_hold_is_written_all_the_same() -> None:
    assert json.loads(encoded(["\ud800", 2**70])) == ["\ud800", 2**70]
