"""Matrices and histories as arrays, data frames and drawings of libraries that are the user's own."""

from __future__ import annotations

import math
import sys
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

from nexus_async import ConfusionMatrix, InvalidArgumentError, RunHistory
from nexus_async.models.needed import needed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MATRIX = ConfusionMatrix(evaluation="7", classes=("cat", "d$o$g"), counts=((5, 1), (2, 8)))
HISTORY = RunHistory(
    run_id="run_1", steps=[1, 2], times=[0.0, 1.0], metrics={"totalLoss": [3.0, math.nan], "boxLoss": [1.0, 2.0]}
)


@pytest.fixture(autouse=True)
def without_a_screen() -> Iterator[None]:
    mpl.use("agg")
    yield
    plt.close("all")


def test_an_array_is_predicted_by_true() -> None:
    array = MATRIX.to_numpy()
    assert array.tolist() == [[5.0, 1.0], [2.0, 8.0]]
    assert array.dtype == np.float64
    assert array[0, 1] == MATRIX.count(predicted="cat", true="d$o$g")


def test_the_array_of_an_empty_matrix_is_square() -> None:
    assert ConfusionMatrix(evaluation="1", classes=(), counts=()).to_numpy().shape == (0, 0)


def test_a_frame_has_the_classes_on_both_sides() -> None:
    frame = MATRIX.to_pandas()
    assert frame.loc["cat", "d$o$g"] == 1
    assert (frame.index.name, frame.columns.name) == ("predicted", "true")
    assert str(frame.dtypes.iloc[0]) == "int64"


def test_a_matrix_is_plotted_with_its_counts_and_names() -> None:
    ax = MATRIX.plot()
    assert [text.get_text() for text in ax.texts] == ["5", "1", "2", "8"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", r"d\$o\$g"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true", "predicted")
    assert ax.get_title() == "Confusion matrix, evaluation 7"
    ax.figure.canvas.draw()


def test_a_large_matrix_is_plotted_without_what_nobody_could_read() -> None:
    size = 41
    ax = ConfusionMatrix(
        evaluation="1", classes=tuple(f"c{i}" for i in range(size)), counts=((1,) * size,) * size
    ).plot()
    assert not ax.texts
    assert "c1" not in [label.get_text() for label in ax.get_xticklabels()]


def test_axes_that_are_given_are_drawn_into() -> None:
    _, (left, right) = plt.subplots(1, 2)
    assert MATRIX.plot(ax=left) is left
    assert HISTORY.plot(ax=right) is right
    assert len(plt.get_fignums()) == 1


def test_a_history_is_plotted_metric_by_metric_over_steps() -> None:
    ax = HISTORY.plot()
    assert [line.get_label() for line in ax.lines] == ["totalLoss", "boxLoss"]
    assert list(np.asarray(ax.lines[1].get_xdata())) == [1, 2]
    assert list(np.asarray(ax.lines[1].get_ydata())) == [1.0, 2.0]
    assert (ax.get_xlabel(), ax.get_title()) == ("step", r"run_1")


def test_metrics_that_are_named_are_plotted_alone() -> None:
    assert [line.get_label() for line in HISTORY.plot("boxLoss").lines] == ["boxLoss"]


def test_a_metric_that_a_run_does_not_have_is_refused_by_name() -> None:
    with pytest.raises(InvalidArgumentError, match="no metric 'loss': there are totalLoss, boxLoss"):
        HISTORY.plot("loss")


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (MATRIX.to_numpy, r"ConfusionMatrix.to_numpy\(\) needs numpy, which is not installed: pip install numpy"),
        (MATRIX.to_pandas, r"ConfusionMatrix.to_pandas\(\) needs pandas, .*: pip install pandas"),
        (MATRIX.plot, r"ConfusionMatrix.plot\(\) needs matplotlib, .*: pip install matplotlib"),
        (HISTORY.plot, r"RunHistory.plot\(\) needs matplotlib, .*: pip install matplotlib"),
        (HISTORY.to_pandas, r"RunHistory.to_pandas\(\) needs pandas, .*: pip install pandas"),
    ],
)
def test_a_library_that_is_not_installed_is_named(
    call: Callable[[], Any], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot")
    for name in ("numpy", "pandas", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)  # an import of it fails as if it were not there
    with pytest.raises(ModuleNotFoundError, match=told):
        call()


def test_a_library_that_lacks_something_itself_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "half_installed.py").write_text("import what_it_lacks")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="what_it_lacks"):
        needed("half_installed", "this test")
