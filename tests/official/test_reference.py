"""Every example of the public reference works, with `await` before its calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from nexus_async import Run, RunConfusionMatrix, RunLogs
from nexus_async.local import LocalNexus, LocalProject, LocalRun, LocalWorkflow, ScriptedTrainer

from .reference import FIRST_LINE, Snippet, as_coroutine, read_reference, snippets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


class Served:
    """A local Nexus in which everything that the examples name exists."""

    def __init__(self, nexus: LocalNexus) -> None:
        self.nexus = nexus
        yolo, awesome = nexus.projects[0].workflows
        self.run = nexus.start_run(yolo.id)
        self.run.checkpoint(0, totalLoss=64.055)
        self.run.evaluate(0, ["RBC", "WBC"], [[3, 1], [0, 4]])
        self.awesome_run = nexus.start_run(awesome.id)
        self.awesome_run.checkpoint(7, totalLoss=0.5)
        self.latest = nexus.start_run(yolo.id)
        self.latest.create_date += 1000

    @property
    def stand_ins(self) -> dict[str, str]:
        """Give what stands here for each key and ID of the reference."""
        return {
            "5aa41e8ba........": self.nexus.secret_key,
            "proj_b705a........": self.nexus.project_id,
            "run_610ba26c-6fbb-42eb-b838-839c61b68b26": self.run.id,
            "run_63eb212ff0f856bf95085095": self.run.id,
            "flow_63d0f2d5fb1f9189db9b1c4b": self.run.flow_id,
            "runlog_UmUyYTE0Y2VlLWVhY2MtNDMzNS1iYzk1LTk0YzNlZTE5NmIwNA": self.run.log_ids[0],
        }


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    workflows = [LocalWorkflow(title="Yolov8 Workflow"), LocalWorkflow(title="My Awesome Workflow")]
    projects = [LocalProject(name="Blood cells", workflows=workflows)]
    async with LocalNexus(ScriptedTrainer(), projects=projects) as nexus:
        monkeypatch.setenv("DATATURE_API_BASE_URL", nexus.url)
        yield Served(nexus)


def lists_all_runs(served: Served, answer: Any) -> bool:
    return all(isinstance(run, Run) for run in answer) and [run.id for run in answer] == list(served.nexus.runs)


def is_the_latest_run(served: Served, answer: Any) -> bool:
    return isinstance(answer, Run) and answer.id == served.latest.id


def is_the_run(served: Served, answer: Any) -> bool:
    return isinstance(answer, Run) and (answer.id, answer.status.overview) == (served.run.id, "Running")


def _is_killed(run: LocalRun, answer: Any) -> bool:
    return (
        isinstance(answer, Run) and answer.id == run.id and answer.status.overview == run.overview == "Cancelled"
    )


def killed_the_run(served: Served, answer: Any) -> bool:
    return _is_killed(served.run, answer) and not served.latest.is_over


def killed_the_latest_run(served: Served, answer: Any) -> bool:
    return _is_killed(served.latest, answer) and not served.run.is_over


def _is_started(answer: Any, flow_id: str, interval: int) -> bool:
    assert isinstance(answer, Run)
    assert answer.execution.checkpoint is not None
    assert answer.features.preview
    assert answer.features.matrix
    return (answer.flow_id, answer.execution.checkpoint.evaluation_interval) == (flow_id, interval)


def started_the_workflow(served: Served, answer: Any) -> bool:
    return len(served.nexus.runs) == 4 and _is_started(answer, served.run.flow_id, 250)


def started_the_awesome_workflow(served: Served, answer: Any) -> bool:
    return len(served.nexus.runs) == 4 and _is_started(answer, served.awesome_run.flow_id, 200)


def _is_log(run: LocalRun, answer: Any, step: int) -> bool:
    return isinstance(answer, RunLogs) and answer.id == run.log_ids[0] and answer.logs[0]["pl"]["step"] == step


def is_the_log(served: Served, answer: Any) -> bool:
    return _is_log(served.run, answer, 0)


def is_the_awesome_log(served: Served, answer: Any) -> bool:
    return _is_log(served.awesome_run, answer, 7)


def is_the_matrix(served: Served, answer: Any) -> bool:
    return isinstance(answer, RunConfusionMatrix) and answer.latest.count(predicted="RBC", true="WBC") == 1


SENSIBLE: dict[str, Callable[[Served, Any], bool]] = {
    "list: List all trainings": lists_all_runs,
    "list: List the latest created training": is_the_latest_run,
    "get": is_the_run,
    "kill: Kill a specific training by run ID": killed_the_run,
    "kill: Kill the latest created training": killed_the_latest_run,
    "start: Start training with a specific workflow ID": started_the_workflow,
    'start: Start a training for the workflow named "My Awesome Workflow"': started_the_awesome_workflow,
    "get_logs: Retrieve training logs by specific log ID": is_the_log,
    'get_logs: Retrieve training logs for the workflow named "My Awesome Workflow"': is_the_awesome_log,
    "get_confusion_matrix: Retrieve the training confusion matrix using the run ID": is_the_matrix,
}


def test_the_reference_has_the_ten_examples_that_are_tried() -> None:
    text = read_reference()
    found = list(snippets(text))
    assert [snippet.title for snippet in found] == list(SENSIBLE)
    assert len(found) == text.count(FIRST_LINE) == 10
    assert all(snippet.code.startswith(FIRST_LINE) for snippet in found)


async def test_each_key_and_id_of_the_reference_has_a_stand_in(served: Served) -> None:
    code = "".join(snippet.code for snippet in snippets(read_reference()))
    assert all(name in code for name in served.stand_ins)


@pytest.mark.parametrize("title", SENSIBLE)
async def test_an_example_of_the_reference_works(title: str, served: Served) -> None:
    snippet = dict(snippets(read_reference()))[title]
    answer = await as_coroutine(Snippet(title, snippet), served.stand_ins)()
    assert SENSIBLE[title](served, answer)
