"""What a run is started with, and the rules that it is checked by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from nexus_async.local.errors import InvalidSetupError

Count = Annotated[int, msgspec.Meta(ge=1)]
Name = Annotated[str, msgspec.Meta(min_length=1)]
Strategy = Literal[
    "STRAT_EVERY_N_EPOCH",
    "STRAT_ALWAYS_SAVE_LATEST",
    "STRAT_LOWEST_VALIDATION_LOSS",
    "STRAT_HIGHEST_ACCURACY",
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel", omit_defaults=True):
    pass


class Accelerator(_Wire, frozen=True, omit_defaults=False):
    """The hardware of a run."""

    name: Name
    """Such as `GPU_T4`; any name is taken, since Nexus adds more over time."""
    count: Count = 1
    """How many of them."""


class CheckpointRule(_Wire, frozen=True, omit_defaults=False):
    """Which checkpoints a run keeps, and how often it is evaluated."""

    strategy: Strategy
    """The rule's name on the wire."""
    evaluation_interval: Count = 250
    """Steps between two evaluations."""
    metric: str | None = None
    """What the strategy compares, where it compares."""


class Limit(_Wire, frozen=True, omit_defaults=False):
    """What ends a run before its training is complete."""

    metric: Literal["LIM_MINUTE", "LIM_EPOCHS", "LIM_NONE"] = "LIM_NONE"
    """What is counted."""
    value: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The count that ends it; of no meaning with `LIM_NONE`."""


class Execution(_Wire, frozen=True, omit_defaults=False):
    """How a run is executed."""

    accelerator: Accelerator
    """Its hardware."""
    checkpoint: CheckpointRule
    """Its checkpoints and evaluations."""
    limit: Limit = Limit()
    """Its limit."""
    debug: bool = False
    """Whether it was asked to write more."""


class Features(_Wire, frozen=True):
    """What else a run was asked for; None where nothing was said, and then absent on the wire."""

    preview: bool | None = None
    """Deprecated in favour of `advanced_evaluation`."""
    matrix: bool | None = None
    """Deprecated in favour of `advanced_evaluation`."""
    advanced_evaluation: bool | None = None
    """Whether previews and confusion matrices were asked for."""


class StartBody(_Wire, frozen=True):
    """The body of a request to start a run."""

    flow_id: Name
    """The workflow's ID."""
    execution: Execution
    """How to execute it."""
    features: Features = Features()
    """What else to do."""


DEFAULT_EXECUTION = Execution(
    accelerator=Accelerator(name="GPU_T4"),
    checkpoint=CheckpointRule(strategy="STRAT_ALWAYS_SAVE_LATEST", evaluation_interval=20),
)


def read_start_body(body: bytes) -> StartBody:
    """Decode and check the body of a request to start a run.

    Raises `InvalidSetupError` naming the part that is missing or wrong.
    """
    try:
        start = msgspec.json.decode(body, type=StartBody)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidSetupError(str(error)) from error
    _check_limit(start.execution.limit)
    return start


def read_setup(setup: Mapping[str, object] | None) -> tuple[Execution, Features]:
    """Check a setup as a caller of `runs.start` writes it; parts that are not given get defaults.

    Raises `InvalidSetupError` naming the part that is wrong.
    """
    given = dict(setup or {})
    features = {name: given.pop(name, None) for name in Features.__struct_fields__}
    unknown = given.keys() - set(Execution.__struct_fields__)
    if unknown:
        raise InvalidSetupError(f"a setup has no {', '.join(sorted(unknown))}")
    defaults = {name: getattr(DEFAULT_EXECUTION, name) for name in Execution.__struct_fields__}
    try:
        execution = msgspec.convert(_on_the_wire(defaults | given), Execution)
        read = msgspec.convert(_on_the_wire(features), Features)
    except msgspec.ValidationError as error:
        raise InvalidSetupError(str(error)) from error
    _check_limit(execution.limit)
    return execution, read


def _on_the_wire(part: object) -> object:
    """Write the names of a nested mapping as the wire does; those that are so already stay."""
    if not isinstance(part, Mapping):
        return msgspec.to_builtins(part)
    return {_camel(str(name)): _on_the_wire(value) for name, value in part.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def _check_limit(limit: Limit) -> None:
    if limit.metric != "LIM_NONE" and limit.value < 1:
        raise InvalidSetupError(f"{limit.metric} needs a value of at least 1 - at `$.execution.limit.value`")
