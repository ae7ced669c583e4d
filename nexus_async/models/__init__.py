"""What the API answers with, and what it is asked with: one file a noun."""

from nexus_async.models.confusion_matrix import ConfusionMatrix, RunConfusionMatrix
from nexus_async.models.history import RunHistory
from nexus_async.models.log import RunLogs
from nexus_async.models.project import (
    InsightArtifact,
    InsightDataset,
    InsightMetric,
    InsightModel,
    InsightSettings,
    ProjectInfo,
    ProjectInsight,
    ProjectStatistic,
    ProjectUser,
    TagCount,
)
from nexus_async.models.run import (
    Run,
    RunAccelerator,
    RunCheckpoint,
    RunExecution,
    RunFeatures,
    RunLimit,
    RunStatus,
)
from nexus_async.models.setup import (
    AcceleratorSetup,
    CheckpointSetup,
    LimitSetup,
    ProjectUpdate,
    RunSetup,
    WorkflowUpdate,
)
from nexus_async.models.workflow import DeleteResponse, Workflow
from nexus_async.models.workspace import Workspace

__all__ = [
    "AcceleratorSetup",
    "CheckpointSetup",
    "ConfusionMatrix",
    "DeleteResponse",
    "InsightArtifact",
    "InsightDataset",
    "InsightMetric",
    "InsightModel",
    "InsightSettings",
    "LimitSetup",
    "ProjectInfo",
    "ProjectInsight",
    "ProjectStatistic",
    "ProjectUpdate",
    "ProjectUser",
    "Run",
    "RunAccelerator",
    "RunCheckpoint",
    "RunConfusionMatrix",
    "RunExecution",
    "RunFeatures",
    "RunHistory",
    "RunLimit",
    "RunLogs",
    "RunSetup",
    "RunStatus",
    "TagCount",
    "Workflow",
    "WorkflowUpdate",
    "Workspace",
]
