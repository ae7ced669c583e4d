"""A Nexus server on this machine, for examples, tests and work without an account."""

from __future__ import annotations

from nexus_async.local.errors import (
    InvalidArgumentError,
    InvalidSetupError,
    LocalNexusError,
    NotStartedError,
    RunOverError,
    TooManyRunsError,
    UnknownIdError,
)
from nexus_async.local.faults.fault import Fault
from nexus_async.local.faults.faults import Faults
from nexus_async.local.faults.rule import FaultRule
from nexus_async.local.projects import LocalProject, LocalWorkflow
from nexus_async.local.run import LocalRun
from nexus_async.local.server import LocalNexus
from nexus_async.local.trainers.clock import TrainingClock
from nexus_async.local.trainers.curve import CurveTrainer
from nexus_async.local.trainers.digits import DigitsTrainer
from nexus_async.local.trainers.replay import ReplayTrainer
from nexus_async.local.trainers.scripted import ScriptedTrainer
from nexus_async.local.trainers.trainer import Trainer, TrainingFailed

__all__ = [
    "CurveTrainer",
    "DigitsTrainer",
    "Fault",
    "FaultRule",
    "Faults",
    "InvalidArgumentError",
    "InvalidSetupError",
    "LocalNexus",
    "LocalNexusError",
    "LocalProject",
    "LocalRun",
    "LocalWorkflow",
    "NotStartedError",
    "ReplayTrainer",
    "RunOverError",
    "ScriptedTrainer",
    "TooManyRunsError",
    "Trainer",
    "TrainingClock",
    "TrainingFailed",
    "UnknownIdError",
]
