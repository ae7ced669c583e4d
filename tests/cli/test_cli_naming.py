"""Finding runs and workflows by what people call them."""

from __future__ import annotations

import pytest

from cli.cli_models import a_run
from nexus_async.cli.exits import CommandError, NoSuchError
from nexus_async.cli.naming import find_flow, find_run
from nexus_async.models.workflow import Workflow

RUNS = [a_run("run_ab12", create_date=1), a_run("run_ab34", create_date=3), a_run("run_ab34c", create_date=2)]


@pytest.mark.parametrize("name", ["run_ab12", "run_ab1", "ab1"])
def test_a_run_goes_by_its_id_or_a_unique_beginning_of_it(name: str) -> None:
    assert find_run(name, RUNS).id == "run_ab12"


def test_a_whole_id_wins_over_those_that_it_begins() -> None:
    assert find_run("run_ab34", RUNS).id == "run_ab34"


def test_the_latest_run_is_the_one_created_last() -> None:
    assert find_run("@latest", RUNS).id == "run_ab34"


def test_there_is_no_latest_run_where_there_is_none() -> None:
    with pytest.raises(NoSuchError, match="no run is @latest: the project has none"):
        find_run("@latest", [])


def test_an_ambiguous_beginning_lists_the_candidates() -> None:
    with pytest.raises(CommandError) as refusal:
        find_run("ab3", RUNS)
    assert str(refusal.value) == "'ab3' is the beginning of 2 runs: run_ab34 (Running), run_ab34c (Running)"
    assert refusal.value.code == 1


def test_of_many_candidates_some_are_listed_and_the_rest_counted() -> None:
    with pytest.raises(CommandError, match=r"run_x9 \(Running\) and 5 more$"):
        find_run("x", [a_run(f"run_x{i}") for i in range(15)])


def flow(flow_id: str, title: str) -> Workflow:
    return Workflow(id=flow_id, project_id="p", title=title, create_date=0, update_date=0)


FLOWS = [flow("flow_1", "Cells"), flow("flow_2", "cells"), flow("flow_3", "Twin"), flow("flow_4", "Twin")]


@pytest.mark.parametrize(("name", "flow_id"), [("flow_2", "flow_2"), ("Cells", "flow_1"), ("cells", "flow_2")])
def test_a_workflow_goes_by_its_id_or_its_title(name: str, flow_id: str) -> None:
    assert find_flow(name, FLOWS).id == flow_id


def test_a_title_may_be_written_in_any_case_where_that_is_not_ambiguous() -> None:
    assert find_flow("CELLS", FLOWS[:1]).id == "flow_1"


@pytest.mark.parametrize("name", ["Twin", "twin", "CELLS"])
def test_a_title_of_several_workflows_lists_the_candidates(name: str) -> None:
    with pytest.raises(
        CommandError, match=r"is the title of 2 workflows: choose by ID among flow_\d \("
    ) as refusal:
        find_flow(name, FLOWS)
    assert refusal.value.code == 1


def test_an_unknown_title_lists_what_there_is() -> None:
    with pytest.raises(NoSuchError, match=r"no workflow 'x' in the project: there is flow_1 \(Cells\)$"):
        find_flow("x", FLOWS[:1])
