"""What a run is started with, and what projects and workflows are updated with: checked before it is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final, Self

import msgspec

from nexus_async.errors import InvalidArgumentError

LOSSES: Final = tuple(
    f"Loss/{name}_loss" for name in ("total", "regularization", "classification", "localization")
)
ACCURACIES: Final = (
    *(
        f"DetectionBoxes_Precision/mAP{of}"
        for of in ("", "@.50IOU", "@.75IOU", " (small)", " (medium)", " (large)")
    ),
    *(
        f"DetectionBoxes_Recall/AR@{of}"
        for of in ("1", "10", "100", "100 (small)", "100 (medium)", "100 (large)")
    ),
)
METRICS: Final[dict[str, tuple[str, ...]]] = {
    "STRAT_EVERY_N_EPOCH": (),
    "STRAT_ALWAYS_SAVE_LATEST": (),
    "STRAT_LOWEST_VALIDATION_LOSS": LOSSES,
    "STRAT_HIGHEST_ACCURACY": ACCURACIES,
}
"""The strategies, and the metrics that go with each (source: the official client's types)."""
LIMITS: Final = ("LIM_MINUTE", "LIM_EPOCHS", "LIM_NONE")


class Setup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Describe what is sent; a mapping with the same keys serves as well."""

    @classmethod
    def parse(cls, given: Self | Mapping[str, Any]) -> Self:
        """Return the setup that `given` describes; raise `InvalidArgumentError` naming what is wrong."""
        plain = msgspec.to_builtins(given) if isinstance(given, cls) else given
        if not isinstance(plain, Mapping):
            raise InvalidArgumentError(f"{given!r} is neither a mapping nor a {cls.__name__}")
        _refuse_unknown(cls, plain, cls.__name__)
        try:
            return msgspec.convert(_plain(plain), cls)
        except msgspec.ValidationError as refusal:
            raise InvalidArgumentError(f"{cls.__name__}: {refusal}") from None


class _InvalidValue(InvalidArgumentError, ValueError):  # noqa: N818 - never seen by users
    """Tell of one value of a setup; msgspec adds where it stands, since it is a `ValueError`."""


def _at_least_one(name: str, value: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise _InvalidValue(f"{name}={value!r} is no whole number of 1 or more")


class AcceleratorSetup(Setup, frozen=True, kw_only=True):
    """Choose the hardware to train on."""

    name: str
    """Such as `GPU_T4`; Nexus adds names over time, so that any is sent."""
    count: int = 1
    """How many of them, 1 or more."""

    def __post_init__(self) -> None:
        if not self.name:
            raise _InvalidValue("name is empty: give an accelerator such as 'GPU_T4'")
        _at_least_one("count", self.count)


class CheckpointSetup(Setup, frozen=True, kw_only=True):
    """Choose when weights are saved."""

    strategy: str
    """One of `METRICS`."""
    metric: str | None = None
    """The metric that the strategy goes by, one of `METRICS`; Nexus chooses where it is not given."""
    evaluation_interval: int = 250
    """Steps between two evaluations, 1 or more."""

    def __post_init__(self) -> None:
        _at_least_one("evaluation_interval", self.evaluation_interval)
        if self.strategy not in METRICS:
            known = ", ".join(METRICS)
            raise _InvalidValue(f"strategy {self.strategy!r} is unknown: choose one of {known}")
        fitting = METRICS[self.strategy]
        if self.metric is not None and self.metric not in fitting:
            remedy = _suggestion(self.metric, fitting) if fitting else "leave it out"
            raise _InvalidValue(f"metric {self.metric!r} does not go with {self.strategy}: {remedy}")


class LimitSetup(Setup, frozen=True, kw_only=True):
    """Choose what ends a run early."""

    metric: str = "LIM_NONE"
    """`LIM_MINUTE`, `LIM_EPOCHS` or `LIM_NONE`."""
    value: int = 1
    """Minutes or epochs, 1 or more; of no meaning with `LIM_NONE`."""

    def __post_init__(self) -> None:
        if self.metric not in LIMITS:
            raise _InvalidValue(f"metric {self.metric!r} is unknown: choose one of {', '.join(LIMITS)}")
        if self.metric != "LIM_NONE" or self.value != 0:
            _at_least_one("value", self.value)


class RunSetup(Setup, frozen=True, kw_only=True):
    """Describe a run to start."""

    accelerator: AcceleratorSetup
    checkpoint: CheckpointSetup
    limit: LimitSetup = LimitSetup()
    advanced_evaluation: bool | None = None
    """Whether to evaluate in depth: previews and confusion matrices."""
    preview: bool | None = None
    """Superseded by `advanced_evaluation`, which stands in where this is not given."""
    matrix: bool | None = None
    """Superseded by `advanced_evaluation`."""
    debug: bool = False

    def body(self, flow_id: str) -> dict[str, Any]:
        """Return the JSON object that starts a run of a workflow."""
        checkpoint = {
            "strategy": self.checkpoint.strategy,
            "metric": self.checkpoint.metric,
            "evaluationInterval": self.checkpoint.evaluation_interval,
        }
        return {
            "flowId": flow_id,
            "execution": {
                "accelerator": msgspec.to_builtins(self.accelerator),
                "checkpoint": {key: value for key, value in checkpoint.items() if value is not None},
                "limit": msgspec.to_builtins(self.limit),
                "debug": self.debug,
            },
            "features": {
                "advancedEvaluation": self.advanced_evaluation,
                "preview": self._previews(),
                "matrix": self.matrix,
            },
        }

    def _previews(self) -> bool:
        if self.preview is not None:
            return self.preview
        return True if self.advanced_evaluation is None else self.advanced_evaluation


class ProjectUpdate(Setup, frozen=True, kw_only=True):
    """Rename a project."""

    name: str


class WorkflowUpdate(Setup, frozen=True, kw_only=True):
    """Rename a workflow."""

    title: str


def _refuse_unknown(shape: type[Setup], given: Mapping[str, Any], where: str) -> None:
    parts = {field.name: field.type for field in msgspec.structs.fields(shape)}
    for key, value in given.items():
        if key not in parts:
            raise InvalidArgumentError(f"{where} has no key {key!r}: {_suggestion(str(key), parts)}")
        part = parts[key]
        if isinstance(value, Mapping) and isinstance(part, type) and issubclass(part, Setup):
            _refuse_unknown(part, value, f"{where}.{key}")


def _suggestion(key: str, known: Iterable[str]) -> str:
    close = get_close_matches(key, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"


def _plain(value: Any) -> Any:
    """Turn mappings of any kind, and setups within them, into what msgspec converts."""
    if isinstance(value, Setup):
        return msgspec.to_builtins(value)
    return {key: _plain(item) for key, item in value.items()} if isinstance(value, Mapping) else value
