"""`nexus-async local`: serve a local Nexus."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence  # noqa: TC003 - cyclopts reads the annotations
from contextlib import suppress
from importlib.util import find_spec
from typing import Annotated, Literal

from cyclopts import Parameter

from nexus_async.cli.loop import run_async
from nexus_async.config import ENDPOINT_VARIABLE, SECRET_KEY_VARIABLE
from nexus_async.local import CurveTrainer, DigitsTrainer, LocalNexus, Trainer
from nexus_async.local.faults.text import read_fault

TrainerName = Literal["digits", "curves"]


def _check_faults(_: object, faults: Sequence[str]) -> None:
    for fault in faults:
        read_fault(fault)


def local(
    *,
    port: Annotated[int, Parameter(help="The port to listen on; 0 takes a free one.")] = 0,
    trainer: Annotated[
        TrainerName | None,
        Parameter(
            help="What runs do: train small models on handwritten digits for real, or draw curves. "
            "By default digits where scikit-learn is installed, else curves."
        ),
    ] = None,
    steps: Annotated[int, Parameter(help="Steps of a run.")] = 60,
    interval: Annotated[float, Parameter(help="Seconds between two steps.")] = 1.0,
    seed: Annotated[int, Parameter(help="Decides IDs, curves, models and which requests a fault strikes.")] = 0,
    fault: Annotated[
        Sequence[str],
        Parameter(
            validator=_check_faults,
            negative="",
            show_default=False,
            help="What befalls requests: ROUTE:KIND[=VALUE][:CONDITION]..., such as get_logs:503:10% or "
            "any:latency=0.5 or start:drop=after:times=1. May be given several times.",
        ),
    ] = (),
) -> None:
    """Serve a local Nexus until Ctrl-C.

    Prints the two lines that point any client of Nexus at it, the official one as well. It trains on this
    machine, keeps everything in memory, and never reads a real key.
    """
    run_async(_serve(_trainer(trainer, steps, interval, seed), port=port, seed=seed, faults=fault))


def _trainer(name: TrainerName | None, steps: int, interval: float, seed: int) -> Trainer:
    if name == "curves" or (name is None and find_spec("sklearn") is None):
        return CurveTrainer(steps=steps, interval=interval, seed=seed)
    return DigitsTrainer(steps=steps, step_seconds=interval, seed=seed)


async def _serve(trainer: Trainer, *, port: int, seed: int, faults: Sequence[str]) -> None:
    interrupted = _interruption()
    nexus = LocalNexus(trainer, port=port, seed=seed)
    for fault in faults:
        nexus.faults.add_text(fault)
    async with nexus:
        print(f"export {ENDPOINT_VARIABLE}={nexus.url}")  # noqa: T201 - stdout, for a shell to take in
        print(f"export {SECRET_KEY_VARIABLE}={nexus.secret_key}", flush=True)  # noqa: T201
        projects = " and ".join(f"{project.name} ({project.id})" for project in nexus.projects)
        what = "trains for real" if isinstance(trainer, DigitsTrainer) else "draws curves"
        bad = f" Faults: {', '.join(faults)}." if faults else ""
        print(f"A local Nexus that {what}, with {projects}.{bad} Ctrl-C ends it.", file=sys.stderr, flush=True)  # noqa: T201
        await interrupted.wait()


def _interruption() -> asyncio.Event:
    """Return what is set by Ctrl-C, or when the process is told to end."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no handlers: Ctrl-C raises there
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
        loop.add_signal_handler(signal.SIGTERM, interrupted.set)
    return interrupted
