"""The projects of a server that was given none."""

from __future__ import annotations

from nexus_async.local.projects import LocalProject, LocalWorkflow


def default_projects() -> tuple[LocalProject, ...]:
    """Define two projects: one whose workflows `DigitsTrainer` really trains, and one of detection."""
    return _digits(), _blood_cells()


def _digits() -> LocalProject:
    return LocalProject(
        name="Handwritten digits",
        type="Classification",
        tags=tuple("0123456789"),
        groups=("main",),
        assets=1797,
        workflows=(
            LocalWorkflow(title="Logistic regression", model="logistic regression", learning_rate=0.002),
            LocalWorkflow(title="Logistic, slow", model="logistic regression", learning_rate=0.0001),
            LocalWorkflow(title="Perceptron 32", model="perceptron 32", learning_rate=0.01),
            LocalWorkflow(title="Perceptron 64x32", model="perceptron 64x32", learning_rate=0.003),
            LocalWorkflow(title="Least squares", model="least squares", learning_rate=0.1),
            LocalWorkflow(title="Least squares, too fast", model="least squares", learning_rate=0.176),
        ),
    )


def _blood_cells() -> LocalProject:
    return LocalProject(
        name="Blood cells",
        type="ObjectDetection",
        tags=("RBC", "WBC", "Platelets"),
        groups=("main", "microscope 2"),
        assets=364,
        workflows=(
            LocalWorkflow(title="YOLOv8 Nano 320", model="YOLOv8 Nano", learning_rate=0.01),
            LocalWorkflow(title="EfficientDet D1 640", model="EfficientDet D1", learning_rate=0.04),
        ),
    )
