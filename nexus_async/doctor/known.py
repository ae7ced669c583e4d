"""The texts that this release knows where the wire has one of several, by their paths."""

from __future__ import annotations

from typing import Final

from nexus_async.models.setup import ACCURACIES, LIMITS, LOSSES, METRICS

STATUSES: Final = frozenset({"Creating", "Running", "Finished", "Errored", "Cancelled"})

_STRATEGIES: Final = frozenset(METRICS)
_METRICS: Final = frozenset({*LOSSES, *ACCURACIES})

KNOWN: Final = {
    "Run.status.overview": STATUSES,
    "Run.execution.accelerator.name": frozenset({"GPU_T4", "GPU_P100", "GPU_V100", "GPU_L4", "GPU_A100_40GB"}),
    "Run.execution.checkpoint.strategy": _STRATEGIES,
    "Run.execution.checkpoint.metric": _METRICS,
    "Run.execution.limit.metric": frozenset(LIMITS),
    "ProjectInfo.type": frozenset({"Classification", "ObjectDetection", "InstanceSegmentation", "Keypoint"}),
    "ProjectInsight.checkpoint.strategy": _STRATEGIES,
    "ProjectInsight.checkpoint.metric": _METRICS,
    "RunConfusionMatrix.object": frozenset({"confusionMatrix"}),
}
