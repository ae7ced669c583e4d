"""A project, its users, and the insights into its finished trainings."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - msgspec reads the annotations of properties' owners

from nexus_async.models.base import Decoder, Model, moment
from nexus_async.models.run import RunCheckpoint


class TagCount(Model, frozen=True, kw_only=True):
    """Tell how often a tag is used."""

    name: str
    count: int


class ProjectStatistic(Model, frozen=True, kw_only=True):
    """Count what a project holds."""

    tags_count: list[TagCount] | None = None
    total_assets: int | None = None
    annotated_assets: int | None = None
    total_annotations: int | None = None


class ProjectInfo(Model, frozen=True, kw_only=True):
    """Tell of a project, as `Project.get_info` answers."""

    id: str
    name: str = ""
    workspace_id: str = ""
    type: str = ""
    """`Classification`, `ObjectDetection`, `InstanceSegmentation`, `Keypoint`; others are kept."""
    create_date: int = 0
    """Milliseconds since the Unix epoch."""
    localization: str = ""
    """Where the data is kept."""
    tags: list[str] = []
    groups: list[str] = []
    statistic: ProjectStatistic | None = None

    @property
    def created_at(self) -> datetime:
        """Return when the project was created, in UTC."""
        return moment(self.create_date)


class ProjectUser(Model, frozen=True, kw_only=True):
    """Tell of a user of a project."""

    id: str
    access_type: str = ""
    """Such as `Owner`."""
    email: str = ""
    nickname: str = ""
    picture: str = ""
    """A URL."""


class InsightSettings(Model, frozen=True, kw_only=True):
    """Tell how a data set was split."""

    split_ratio: float | None = None
    shuffle: bool | None = None
    seed: int | None = None
    using_sliding_window: bool = False


class InsightDataset(Model, frozen=True, kw_only=True):
    """Tell of the data that a finished run was trained on."""

    data_type: str = ""
    num_classes: int | None = None
    average_annotations: float | None = None
    total_assets: int | None = None
    settings: InsightSettings | None = None


class InsightModel(Model, frozen=True, kw_only=True):
    """Tell of the model that a finished run trained."""

    name: str = ""
    batch_size: int | None = None
    training_steps: int | None = None
    max_detection_per_class: int | None = None
    solver: str | None = None
    learning_rate: float | None = None
    momentum: float | None = None


class InsightMetric(Model, frozen=True, kw_only=True):
    """Give the losses of a saved checkpoint."""

    total_loss: float | None = None
    classification_loss: float | None = None
    localization_loss: float | None = None
    regularization_loss: float | None = None


class InsightArtifact(Model, frozen=True, kw_only=True):
    """Tell of the weights that a finished run left."""

    id: str = ""
    is_training: bool = False
    metric: InsightMetric = InsightMetric()
    step: int | None = None


class ProjectInsight(Model, frozen=True, kw_only=True):
    """Tell how a finished run went: its data, model, checkpoint and weights."""

    flow_title: str = ""
    run_id: str
    dataset: InsightDataset = InsightDataset()
    model: InsightModel = InsightModel()
    checkpoint: RunCheckpoint = RunCheckpoint()
    artifact: InsightArtifact = InsightArtifact()
    create_date: int = 0
    """Milliseconds since the Unix epoch."""

    @property
    def created_at(self) -> datetime:
        """Return when the insight was made, in UTC."""
        return moment(self.create_date)


decode_project = Decoder(ProjectInfo)
decode_projects = Decoder(list[ProjectInfo])
decode_users = Decoder(list[ProjectUser])
decode_insights = Decoder(list[ProjectInsight])
