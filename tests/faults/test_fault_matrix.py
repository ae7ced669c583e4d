"""The fault matrix over real sockets, and the document that is written from it."""

from __future__ import annotations

import pytest
from matrix import DOCUMENT, FAULTS, METHODS, document, expected
from scene import observe
from skipping_loop import run_skipping

CELLS = [
    pytest.param(name, method, cell, id=f"{name}-{method}")
    for name, cells in expected().items()
    for method, cell in zip(METHODS, cells, strict=True)
]


@pytest.mark.parametrize(("name", "method", "cell"), CELLS)
def test_a_call_comes_to_what_the_table_says(name: str, method: str, cell: str) -> None:
    assert str(run_skipping(lambda: observe(FAULTS[name], method))) == cell


def test_the_table_tells_of_every_fault() -> None:
    assert list(expected()) == list(FAULTS)


def test_the_document_is_that_of_the_table() -> None:
    assert DOCUMENT.read_text() == document(), (
        "docs/faults.md is old: python tests/faults/matrix.py writes it anew"
    )
