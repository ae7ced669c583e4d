"""How runs, their histories and their matrices look in a notebook."""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, strategies as st

from nexus_async import ConfusionMatrix, Run, RunHistory
from nexus_async.models.confusion_matrix import RunConfusionMatrix
from nexus_async.models.drawing import MOST_POINTS, thinned
from nexus_async.models.run import RunAccelerator, RunExecution, RunStatus

EVIL = '<img src=x onerror="alert(1)">&\''
MARKUP = {"div", "b", "br", "small", "table", "tr", "td", "svg", "g", "path", "circle", "text", "title"}


def elements(shown: Any) -> list[ET.Element]:
    """Return the elements of what a notebook shows; it is well formed as XML, too."""
    return list(ET.fromstring(shown._repr_html_().replace("<br>", "<br/>")).iter())


def words(shown: Any) -> str:
    return " ".join("".join(element.itertext()) for element in elements(shown)[:1])


def run(**changed: Any) -> Run:
    fields: dict[str, Any] = {
        "id": "run_1",
        "project_id": "proj_1",
        "flow_id": "flow_1",
        "execution": RunExecution(accelerator=RunAccelerator(name="GPU_T4", count=2)),
        "status": RunStatus(overview="Running", message="Step 5", update_data=1),
        "create_date": 1705466384796,
        "update_date": 1705466392067,
    }
    return Run(**{**fields, **changed})


def history(
    *values: float, steps: list[int] | None = None, names: tuple[str, ...] = ("totalLoss",)
) -> RunHistory:
    return RunHistory(
        run_id="run_1",
        steps=steps or list(range(len(values))),
        times=[0.0] * len(values),
        metrics={name: list(values) for name in names},
    )


def matrix(classes: tuple[str, ...], diagonal: float = 3) -> ConfusionMatrix:
    counts = tuple(tuple(diagonal if i == j else 0 for j in range(len(classes))) for i in range(len(classes)))
    return ConfusionMatrix(evaluation="7", classes=classes, counts=counts)


def paths(shown: Any) -> list[str]:
    return [str(element.get("d")) for element in elements(shown) if element.get("stroke-linecap")]


def test_a_run_shows_its_status_its_hardware_and_its_dates() -> None:
    said = words(run())
    for word in ("run_1", "Running", "Step 5", "flow_1", "2 x GPU_T4", "2024-01-17 04:39:44 UTC"):
        assert word in said


def test_a_status_has_a_colour_and_an_unknown_one_is_grey() -> None:
    statuses = ("Finished", "Errored", "Paused")
    shown = [run(status=RunStatus(overview=status, update_data=1)) for status in statuses]
    colours = [element.get("fill") for each in shown for element in elements(each) if element.tag == "circle"]
    assert colours == ["#16a34a", "#dc2626", "#6b7280"]


def test_a_date_beyond_the_calendar_is_shown_as_it_came() -> None:
    assert f"{10**18} ms since 1970" in words(run(create_date=10**18))


def test_a_date_that_is_not_told_is_left_out() -> None:
    assert "created" not in words(run(create_date=0))


def test_names_of_the_api_stay_text() -> None:
    odd = (
        run(id=EVIL, flow_id=EVIL, status=RunStatus(overview=EVIL, message=EVIL, update_data=1)),
        history(1.0, 2.0, names=(EVIL,)),
        history(math.nan, names=(EVIL,)),
        matrix((EVIL, "b")),
        RunConfusionMatrix(data=EVIL),
    )
    for shown in odd:
        assert {element.tag for element in elements(shown)} <= MARKUP
        assert {name for element in elements(shown) for name in element.attrib if name.startswith("on")} == set()
        assert EVIL[:5] in words(shown) or isinstance(shown, RunConfusionMatrix)


def test_nothing_shown_is_a_script_or_asks_for_anything() -> None:
    for shown in (run(), history(1.0, 2.0), matrix(("a", "b"))):
        html = shown._repr_html_()
        assert not any(word in html for word in ("script", "href", "url(", "http", "src"))


def test_what_is_drawn_takes_the_colour_of_what_surrounds_it() -> None:
    colours = {
        value
        for shown in (history(1.0, 2.0), matrix(("a", "b")))
        for element in elements(shown)
        for name, value in element.items()
        if name in {"fill", "stroke"}
    }
    assert colours == {"currentColor", "none", "#3b82f6"}


def test_a_curve_is_drawn_from_the_left_to_the_right_and_high_values_above() -> None:
    [path] = paths(history(0.0, 10.0, 5.0))
    assert path == "M4.0 76.0L120.0 4.0L236.0 40.0"


def test_a_curve_is_broken_where_a_value_is_not_finite() -> None:
    [path] = paths(history(1.0, 2.0, math.nan, 3.0, math.inf, 4.0, 5.0))
    assert path.count("M") == 3


def test_a_curve_is_broken_where_a_resumed_training_goes_back() -> None:
    [path] = paths(history(4.0, 3.0, 2.0, 1.0, steps=[1, 2, 1, 2]))
    assert [len(part.split("L")) for part in path.split("M")[1:]] == [2, 2]


def test_a_curve_says_its_last_value_and_its_range() -> None:
    assert "totalLoss 2.50.1235 … 10" in words(history(10.0, 0.123456, 2.5))


def test_a_metric_without_a_finite_value_says_so() -> None:
    assert "no finite value" in words(history(math.nan, math.inf))


def test_a_run_without_checkpoints_has_an_empty_history() -> None:
    assert words(history(names=())) == "run_1: 0 checkpoints"


def test_many_metrics_are_cut_and_counted() -> None:
    shown = history(1.0, names=tuple(f"m{i}" for i in range(15)))
    assert len(paths(shown)) == 12
    assert "3 metrics more" in words(shown)


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=30), st.data())
def test_any_history_is_well_formed_and_its_points_are_within_the_picture(values: list[float], data: Any) -> None:
    steps = data.draw(st.lists(st.integers(), min_size=len(values), max_size=len(values)))
    for path in paths(history(*values, steps=steps)):
        points = [point.split() for part in path.split("M")[1:] for point in part.split("L")]
        assert all(0 <= float(x) <= 240 and 0 <= float(y) <= 80 for x, y in points)


@given(st.lists(st.floats(allow_nan=False), min_size=MOST_POINTS + 1, max_size=2000))
def test_a_long_curve_keeps_its_ends_and_its_extremes(values: list[float]) -> None:
    points = list(enumerate(values))
    kept = thinned(points)
    assert len(kept) <= MOST_POINTS
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert {min(values), max(values)} <= {value for _, value in kept}
    assert kept == sorted(kept, key=lambda point: point[0])


def test_a_long_history_is_small() -> None:
    names = tuple(f"metric{i}" for i in range(12))
    assert len(history(*(math.sin(i) for i in range(100_000)), names=names)._repr_html_()) < 80_000


def test_a_matrix_shows_its_classes_and_counts_and_each_cell_says_what_it_is() -> None:
    said = words(matrix(("cat", "dog")))
    assert "Confusion matrix, evaluation 7" in said
    assert "cat predicted, cat true: 3" in said
    assert "cat predicted, dog true" not in said


def test_a_long_name_keeps_its_beginning_and_its_end() -> None:
    shown = matrix(("a class with a long name 17", "b"))
    assert "a class…ame 17" in words(shown)
    assert "a class with a long name 17 predicted" in words(shown)


def test_the_highest_count_is_the_darkest_and_nothing_is_drawn_for_none() -> None:
    shown = ConfusionMatrix(evaluation="1", classes=("a", "b"), counts=((10, 1), (0, 5)))
    shades = {
        element.get("d"): element.get("opacity") for element in elements(shown) if "h1v1" in str(element.get("d"))
    }
    assert shades == {"M0 0h1v1h-1z": "0.70", "M1 0h1v1h-1z": "0.07", "M1 1h1v1h-1z": "0.35"}


def test_shares_are_written_with_two_digits() -> None:
    assert "0.67" in words(ConfusionMatrix(evaluation="1", classes=("a",), counts=((2 / 3,),)))


@pytest.mark.parametrize("count", [1, 15, 16, 40, 41, 100, 400])
def test_a_matrix_of_any_size_is_small(count: int) -> None:
    classes = tuple(f"class number {i}" for i in range(count))
    full = ConfusionMatrix(evaluation="1", classes=classes, counts=((7,) * count,) * count)
    assert len(full._repr_html_()) < 160_000
    assert elements(full)


def test_of_very_many_classes_those_with_the_most_counts_are_drawn() -> None:
    classes = tuple(f"c{i}" for i in range(103))
    counts = tuple(tuple(i if i == j else 0 for j in range(103)) for i in range(103))
    said = words(ConfusionMatrix(evaluation="1", classes=classes, counts=counts))
    assert "3 classes with fewer counts are left out" in said


def test_an_empty_matrix_is_shown() -> None:
    assert elements(ConfusionMatrix(evaluation="1", classes=(), counts=()))


def test_the_matrices_of_a_run_show_the_latest() -> None:
    column = '[{"id": "a", "data": [{"x": "a", "y": 1}]}]'
    assert "evaluation 10" in words(RunConfusionMatrix(data=f'{{"9": {column}, "10": {column}}}'))


@pytest.mark.parametrize(
    ("data", "said"), [("{}", "was not evaluated yet"), ("{oops", "not what the API promises")]
)
def test_matrices_that_cannot_be_shown_say_why(data: str, said: str) -> None:
    assert said in words(RunConfusionMatrix(data=data))
