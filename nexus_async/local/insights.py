"""What a project tells of a run that finished."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.local.identifiers import seeded

if TYPE_CHECKING:
    from nexus_async.local.projects import LocalProject
    from nexus_async.local.run import LocalRun

_LOSSES = ("totalLoss", "classificationLoss", "localizationLoss", "regularizationLoss")


def insight_wire(project: LocalProject, run: LocalRun) -> dict[str, object]:
    """Give the insight of a finished run as the wire has it."""
    return {
        "flowTitle": run.workflow.title,
        "runId": run.id,
        "dataset": _dataset(project),
        "model": _model(run),
        "checkpoint": run.execution.checkpoint,
        "artifact": _artifact(run),
        "createDate": run.update_date,
    }


def _dataset(project: LocalProject) -> dict[str, object]:
    return {
        "dataType": "Rectangle" if project.type == "ObjectDetection" else project.type,
        "numClasses": len(project.tags),
        "averageAnnotations": 1.0,
        "totalAssets": project.assets,
        "settings": {"splitRatio": 0.3, "shuffle": True, "seed": 0, "usingSlidingWindow": False},
    }


def _model(run: LocalRun) -> dict[str, object]:
    return {
        "name": run.workflow.model,
        "batchSize": 32,
        "trainingSteps": run.steps_seen,
        "maxDetectionPerClass": 100,
        "solver": "sgd",
        "learningRate": run.workflow.learning_rate,
        "momentum": 0.9,
    }


def _artifact(run: LocalRun) -> dict[str, object]:
    metrics = run.last_metrics
    return {
        "id": f"artifact_{seeded(run.id, 'artifact').getrandbits(96):024x}",
        "isTraining": False,
        "step": run.last_step,
        "metric": {name: value for name in _LOSSES if isinstance(value := metrics.get(name), (int, float))},
    }
