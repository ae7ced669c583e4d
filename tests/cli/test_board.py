"""What the tables and lines of the command line are drawn from, and how."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console, RenderableType

from nexus_async import (
    CaughtUp,
    Checkpoint,
    ConfusionMatrix,
    Run,
    RunAdded,
    RunEnded,
    RunRemoved,
    StatusChanged,
)
from nexus_async.cli.board import Board, Row, diverges
from nexus_async.cli.board_table import BoardTable
from nexus_async.cli.drawing import checkpoint_line, matrix_table, number
from nexus_async.cli.sparkline import sparkline
from nexus_async.models.run import RunExecution, RunStatus

RUN = "run_610ba26c-6fbb-42eb-b838-839c61b68b26"


def run(status: str = "Running", run_id: str = RUN, flow_id: str = "f") -> Run:
    return Run(
        id=run_id, project_id="p", flow_id=flow_id, execution=RunExecution(), create_date=0, update_date=0,
        status=RunStatus(overview=status, update_data=0),
    )  # fmt: skip


def checkpoint(step: int, run_id: str = RUN, **metrics: float) -> Checkpoint:
    return Checkpoint(
        project_id="p",
        run_id=run_id,
        id="i",
        cursor="c",
        log_id="l",
        index=0,
        time=100.0,
        step=step,
        metrics=metrics,
    )


def added(run: Run) -> RunAdded:
    return RunAdded(project_id="p", run_id=run.id, id="i", cursor="c", run=run)


def changed(run: Run) -> StatusChanged:
    return StatusChanged(project_id="p", run_id=run.id, id="i", cursor="c", previous="Running", run=run)


def ended(run: Run) -> RunEnded:
    return RunEnded(
        project_id="p",
        run_id=run.id,
        id="i",
        cursor="c",
        run=run,
        outcome=run.status.overview,
        drained=True,
    )


def drawn(what: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def board(*losses: float, title: str = "My workflow") -> Board:
    board = Board()
    board.titles["f"] = title
    board.take(added(run()))
    for step, loss in enumerate(losses, start=1):
        board.take(checkpoint(step, totalLoss=loss))
    return board


def test_a_row_knows_the_last_loss_and_the_best() -> None:
    row = board(3.0, 1.0, math.nan, 2.0).rows[RUN]
    assert (row.step, row.loss, row.best) == (4, 2.0, 1.0)


def test_a_row_without_a_finite_loss_has_no_best() -> None:
    assert board(math.nan).rows[RUN].best is None


def test_the_table_shows_run_workflow_status_step_loss_best_curve_and_age() -> None:
    text = drawn(BoardTable(board(0.5, 0.25), now=107.0, width=100))
    cells = ["run_610ba26c", "My workflow", "Running", "2", "0.2500", "0.2500", "█▁", "7s"]
    assert text.splitlines()[1].split() == " ".join(cells).split()


def test_a_run_without_a_checkpoint_has_empty_cells() -> None:
    assert drawn(BoardTable(board(), now=107.0, width=100)).splitlines()[1].split() == [
        "run_610ba26c",
        "My",
        "workflow",
        "Running",
    ]


@pytest.mark.parametrize(
    ("width", "header"),
    [
        (100, "run workflow status step loss best age"),
        (60, "run workflow status step loss"),
        (40, "run status step loss"),
        (24, "run status"),
    ],
)
def test_a_narrow_terminal_does_without_what_matters_least(width: int, header: str) -> None:
    lines = drawn(BoardTable(board(0.5), now=100.0, width=width), width=width).splitlines()
    assert lines[0].split() == header.split()
    assert "…" not in lines[1]


def test_remarks_stand_below_the_table() -> None:
    told = board(1.0)
    told.remarks.append("it diverges")
    assert drawn(BoardTable(told, now=100.0, width=100)).rstrip().endswith("it diverges")


def test_a_title_is_text_never_markup() -> None:
    assert "[red]x[/red]" in drawn(BoardTable(board(title="[red]x[/red]"), now=0.0, width=100))


def test_a_workflow_without_a_title_is_called_by_its_id() -> None:
    told = Board()
    told.take(added(run(flow_id="flow_1")))
    assert told.rows[RUN].workflow == "flow_1"


def test_the_table_keeps_to_forty_columns() -> None:
    assert (
        max(map(len, drawn(BoardTable(board(*range(1, 50)), now=100.0, width=40), width=40).splitlines())) <= 40
    )


def test_a_checkpoint_is_one_plain_line() -> None:
    row = board(0.5).rows[RUN]
    assert checkpoint_line(row) == "run_610ba26c  My workflow  Running  step 1  loss 0.5000  best 0.5000"


def test_a_row_has_the_status_that_its_run_was_added_with() -> None:
    told = Board()
    told.take(added(run("Creating")))
    assert told.rows[RUN].status == "Creating"


@pytest.mark.parametrize("event", [changed(run("Cancelled")), ended(run("Cancelled"))])
def test_the_status_is_the_last_one_told(event: StatusChanged | RunEnded) -> None:
    told = board()
    told.take(event)
    assert told.rows[RUN].status == "Cancelled"


@pytest.mark.parametrize(
    "event", [CaughtUp(id="i"), RunRemoved(project_id="p", run_id="another", id="i", cursor="c")]
)
def test_an_event_that_no_row_shows_changes_nothing(event: CaughtUp | RunRemoved) -> None:
    told = board(1.0)
    before = drawn(BoardTable(told, now=100.0, width=100))
    told.take(event)
    assert drawn(BoardTable(told, now=100.0, width=100)) == before


def test_the_most_accurate_is_chosen_among_those_that_finished() -> None:
    told = Board()
    for run_id, status, accuracy in [("a", "Finished", 0.8), ("b", "Finished", 0.9), ("c", "Cancelled", 1.0)]:
        told.take(added(run(status, run_id)))
        told.take(checkpoint(1, run_id, accuracy=accuracy))
    best = told.most_accurate()
    assert best is not None
    assert best.run_id == "b"


def test_nothing_is_most_accurate_where_nothing_finished() -> None:
    assert board(1.0).most_accurate() is None


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [
        ([], False),
        ([1.0], False),
        ([1.0, 0.5, 5.0], False),
        ([1.0, 0.5, 5.1], True),
        ([1.0, math.nan], True),
        ([math.inf], True),
    ],
)
def test_a_training_diverges_at_ten_times_its_best_or_at_no_number(losses: list[float], verdict: bool) -> None:
    assert diverges(row_of(*losses)) is verdict


def test_the_factor_of_divergence_can_be_chosen() -> None:
    assert diverges(row_of(1.0, 3.0), factor=2.0)


def row_of(*losses: float) -> Row:
    row = Row(RUN, "w", "Running")
    for loss in losses:
        row.curve.add(loss)
    return row


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([], 8, ""),
        ([1.0], 8, "▁"),
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, "▁▃▅▆▆▇██"),
        ([-3.5, 0.0, 3.5], 8, "▁▅█"),
        ([1.0, math.nan, 2.0, math.inf], 8, "▁!█!"),
        ([math.nan] * 3, 8, "!!!"),
        ([9, 1, 9, 8], 2, "▁█"),
    ],
)
def test_a_sparkline_is_a_curve_in_one_line(values: list[float], width: int, line: str) -> None:
    assert sparkline(values, width) == line


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (0.5, "0.5000"), (6.1e-5, "6.1e-05"), (1e25, "1e+25"), (math.nan, "nan"), (-math.inf, "-inf")],
)
def test_a_number_fits_its_cell(value: float | None, text: str) -> None:
    assert number(value) == text


def test_a_matrix_is_a_row_a_prediction_and_a_column_a_truth() -> None:
    matrix = ConfusionMatrix(evaluation="1", classes=("cat", "dog"), counts=((5, 1), (0, 7)))
    lines = drawn(matrix_table(matrix)).splitlines()
    assert [line.split() for line in lines[1:]] == [["cat", "5", "1"], ["dog", ".", "7"]]


def test_an_empty_matrix_is_drawn_too() -> None:
    matrix = ConfusionMatrix(evaluation="1", classes=("cat",), counts=((0,),))
    assert drawn(matrix_table(matrix)).splitlines()[1].split() == ["cat", "0"]
