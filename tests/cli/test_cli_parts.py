"""The parts that commands share, one by one."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from cli.cli_models import a_checkpoint, a_run, an_added
from nexus_async import RunStats
from nexus_async.cli.app import run as run_command
from nexus_async.cli.board import Board
from nexus_async.cli.board_table import BoardTable
from nexus_async.cli.cells import cells_of, write_bytes, write_rate
from nexus_async.cli.curve import MOST_POINTS, Curve, falls
from nexus_async.cli.exits import UsageError
from nexus_async.cli.listing import Listing, markdown_of
from nexus_async.cli.times import read_moment, read_span, write_lasting, write_moment, write_span
from nexus_async.cli.visible import visible, visible_json
from nexus_async.models.run import RunAccelerator, RunLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from cli.nexus_thread import Done

NOW = datetime(2024, 1, 17, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("1h30m", 5400), ("2d", 172800), ("1d2h3m4s", 93784)],
)
def test_a_span_is_read(text: str, seconds: float) -> None:
    assert read_span("--timeout", text) == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "5 m", "5x", "m", "nan", "1e3", "9999999d"])
def test_what_is_no_span_is_refused_by_its_option(text: str) -> None:
    with pytest.raises(UsageError, match=r"--timeout .*is no span of time"):
        read_span("--timeout", text)


def test_a_moment_is_a_span_ago_or_a_date() -> None:
    assert read_moment("--since", "2d", now=NOW) == NOW - timedelta(days=2)
    assert read_moment("--since", "2024-01-16T00:00:00Z", now=NOW) == datetime(2024, 1, 16, tzinfo=UTC)
    assert read_moment("--since", "2024-01-16", now=NOW) == datetime(2024, 1, 16).astimezone()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "0s"), (7.4, "7s"), (75, "1m15s"), (3700, "1h01m"), (90000, "1d01h"), (9e6, "104d")],
)
def test_a_span_is_written_by_its_two_greatest_units(seconds: float, text: str) -> None:
    assert write_span(seconds) == text


def test_a_moment_beyond_all_dates_is_written_as_it_is() -> None:
    assert write_moment(1_700_000_000_999) == "2023-11-14T22:13:20Z"
    assert write_moment(10**18) == str(10**18)


def test_what_an_answer_did_not_say_is_no_date_and_no_span() -> None:
    assert write_moment(0) == ""
    assert write_lasting(0, 60_000) == write_lasting(60_000, 0) == ""
    assert write_lasting(1_000, 61_000) == "1m00s"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = visible(text)
    assert shown.isprintable() or not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert visible("plain ü 漢 text") == "plain ü 漢 text"


def test_json_keeps_its_meaning() -> None:
    assert visible_json('{"a":"\x9b\u202e ü"}') == '{"a":"\\u009b\\u202e ü"}'


@pytest.mark.parametrize(
    ("metric", "verdict"), [("totalLoss", True), ("boxloss", True), ("errorRate", True), ("accuracy", False)]
)
def test_less_is_better_of_losses_and_errors(metric: str, verdict: bool) -> None:
    assert falls(metric) is verdict


@given(st.lists(st.floats(), max_size=600))
def test_a_curve_keeps_its_last_and_its_best_in_bounded_room(values: list[float]) -> None:
    curve = Curve("totalLoss")
    for value in values:
        curve.add(value)
    finite = [value for value in values if math.isfinite(value)]
    assert curve.best == min(finite, default=None)
    assert len(curve.points) <= MOST_POINTS
    assert curve.count == len(values)
    if values:
        assert str(curve.points[-1]) == str(curve.last) == str(values[-1])


def test_a_curve_is_drawn_anew_where_there_is_more_of_it() -> None:
    curve = Curve("accuracy")
    curve.add(1.0)
    assert curve.drawn(8) == "▁"
    curve.add(2.0)
    assert (curve.drawn(8), curve.drawn(1), curve.drawn(0), curve.best) == ("▁█", "▁", "", 2.0)


EARLIER = a_run("run_0", status="Finished", create_date=1, update_date=100_001)


@pytest.mark.parametrize(
    ("limit", "earlier", "done", "left"),
    [
        (RunLimit(metric="LIM_MINUTE", value=2), [], 0.25, 90),
        (RunLimit(metric="LIM_EPOCHS", value=20), [], 0.5, 100),
        (RunLimit(metric="LIM_EPOCHS", value=5), [], None, None),
        (None, [EARLIER], 0.4, 60),
        (None, [], None, None),
        (RunLimit(metric="LIM_NONE"), [EARLIER], None, None),
        (None, [a_run("run_0", status="Errored", create_date=1, update_date=100_001)], None, None),
        (
            None,
            [a_run("run_0", status="Finished", flow_id="other", create_date=1, update_date=100_001)],
            None,
            None,
        ),
        (
            None,
            [
                a_run(
                    "run_0",
                    status="Finished",
                    accelerator=RunAccelerator(name="A"),
                    create_date=1,
                    update_date=100_001,
                )
            ],
            None,
            None,
        ),
        (None, [a_run("run_0", status="Finished", create_date=1, update_date=20_001)], None, None),
        (None, [a_run("run_0", status="Finished", create_date=0, update_date=100_000)], None, None),
        (None, [a_run("run_0", status="Finished", create_date=1, update_date=0)], None, None),
    ],
)
def test_what_is_left_is_told_by_the_limit_or_by_earlier_runs_of_the_kind(
    limit: RunLimit | None, earlier: list[object], done: float | None, left: float | None
) -> None:
    board = Board(runs={"run_0": earlier[0]} if earlier else {})  # type: ignore[dict-item]  # the parameters are runs
    board.take(an_added(a_run(create_date=960_000, update_date=970_000, limit=limit)))
    board.take(a_checkpoint(5, time=950.0, totalLoss=1.0))
    board.take(a_checkpoint(10, time=1000.0, totalLoss=1.0))
    course = board.course(board.rows["run_1"], now=1000.0)
    assert course == (pytest.approx(done) if done else None, pytest.approx(left) if left else None)


def test_a_run_that_is_resumed_has_the_status_and_title_of_the_list() -> None:
    board = Board(runs={"run_1": a_run()})
    board.titles["f"] = "My flow"
    board.take(a_checkpoint(3, totalLoss=1.0))
    assert (board.rows["run_1"].workflow, board.rows["run_1"].status) == ("My flow", "Running")


def stats_of(size: int) -> RunStats:
    return RunStats(project_id="p", status=None, cursor=None, lag=None, last_poll=None, errors=0, log_bytes=size)


def test_the_cells_of_a_run() -> None:
    board = Board(metric="accuracy")
    board.take(an_added(a_run()))
    board.take(a_checkpoint(1, time=100.0, accuracy=0.5))
    board.take(a_checkpoint(5, time=102.0, accuracy=0.25))
    board.note_stats({"run_1": stats_of(12_345), "run_9": stats_of(1)})
    assert cells_of(board.rows["run_1"], board, now=165.0) == {
        "run": "run_1", "workflow": "f", "status": "Running", "done": "", "step": "5", "loss": "0.2500",
        "best": "0.5000", "age": "1m03s", "rate": "2/s", "size": "12.3 kB", "eta": "",
    }  # fmt: skip


@pytest.mark.parametrize(("rate", "text"), [(12.5, "12.5/s"), (0.5, "30/min"), (0.01, "36/h"), (0.0, "0/h")])
def test_a_rate_is_written_by_the_unit_that_fits(rate: float, text: str) -> None:
    assert write_rate(rate) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (999_600, "1 MB"), (2.5e6, "2.5 MB"), (7e9, "7 GB")],
)
def test_bytes_are_written_by_the_unit_that_fits(size: float, text: str) -> None:
    assert write_bytes(size) == text


def test_where_not_all_runs_fit_those_that_go_on_are_shown_and_the_rest_counted() -> None:
    from rich.console import Console

    board = Board()
    for i in range(9):
        board.take(an_added(a_run(f"run_{i}", status="Running" if i % 3 == 0 else "Finished")))
    board.remarks.append("look")
    console = Console(width=60, record=True, quiet=True)
    with console.capture() as shown:
        console.quiet = False
        console.print(BoardTable(board, now=0.0, width=60, height=8), end="")
    lines = shown.get().splitlines()
    assert [line.split()[0] for line in lines[1:5]] == ["run_0", "run_3", "run_6", "run_1"]
    assert lines[5:] == ["and 5 more: 5 Finished", "look"]


def test_markdown_says_what_is_meant() -> None:
    listing = Listing(title="T|", columns=("a",), rows=[("<b>|`x`\n\x1b",)], found=[])
    assert markdown_of(listing) == "### T\\|\n\n| a |\n| --- |\n| &#60;b&#62;\\|\\`x\\`\\x0a\\x1b |\n\n"


COMMANDS = [
    ["login"], ["whoami"], ["projects", "list"], ["workflows", "list"], ["watch"], ["logs"], ["wait"], ["local"],
    ["dashboard"], ["completion"],
    *(["runs", name] for name in ("list", "get", "start", "kill", "logs", "watch", "wait", "matrix", "compare", "export", "record", "report")),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help_has_examples(words: list[str], command: Callable[..., Done]) -> None:
    done = command(*words, "--help")
    assert done.code == 0
    assert f"\n  nexus-async {' '.join(words)}" in done.out or f"\n  nexus-async {words[-1]}" in done.out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_words_of_a_shell_are_completed(shell: str, command: Callable[..., Done]) -> None:
    done = command("completion", shell)
    assert (done.code, "fail-fast" in done.out, "compare" in done.out) == (0, True, True)


def test_what_nobody_foresaw_is_one_line_too(
    command: Callable[..., Done], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("nexus_async.cli.account.KeyFile", fail)
    monkeypatch.setattr("nexus_async.cli.account._read_key", lambda: "key")
    done = command("login")
    assert done == (
        1,
        "",
        "nexus-async: unforeseen ZeroDivisionError: oops. Run it again with --debug, and report what it shows\n",
    )


def test_a_run_of_no_words_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command([]) == 0
    assert "Exit codes: 0 done" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ("watch", "--interval", "0"),
        ("watch", "--interval", "nan"),
        ("logs", "x", "--tail", "-1"),
        ("dashboard", "--port", "65536"),
        ("dashboard", "--ended", "-1"),
        ("local", "--port", "-1"),
        ("local", "--steps", "0"),
        ("local", "--interval", "-1"),
        ("local", "--speed", "0"),
        ("runs", "list", "-n", "0"),
    ],
)
def test_a_number_that_makes_no_sense_is_a_mistake_in_usage_that_names_its_option(
    words: tuple[str, ...], command: Callable[..., Done]
) -> None:
    done = command(*words)
    named = "--limit" if words[-2] == "-n" else words[-2]
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert named in done.err


def test_an_unknown_command_is_told_with_those_that_there_are(command: Callable[..., Done]) -> None:
    done = command("watc")
    assert done.code == 2
    assert 'Unknown command "watc". Did you mean "watch"?' in done.err
    assert done.err.endswith("wait and others. See nexus-async --help\n")
