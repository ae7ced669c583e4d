"""`nexus-async local`: serve a local Nexus."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence  # noqa: TC003 - cyclopts reads the annotations
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path  # noqa: TC003 - cyclopts reads the annotations
from typing import Annotated, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from nexus_async.cli.console import say, write_line
from nexus_async.cli.exits import DONE, CommandError, UsageError
from nexus_async.cli.loop import run_async
from nexus_async.cli.options import COUNT, PORT, SPAN
from nexus_async.cli.project import PROJECT_VARIABLE
from nexus_async.config import ENDPOINT_VARIABLE, SECRET_KEY_VARIABLE
from nexus_async.local import CurveTrainer, DigitsTrainer, LocalNexus, ReplayTrainer, Trainer
from nexus_async.local.faults.text import read_fault

TrainerName = Literal["digits", "curves"]


def _check_fault(_: object, fault: str) -> None:
    read_fault(fault)


def local(
    *,
    port: Annotated[int, PORT, Parameter(help="The port to listen on; 0 takes a free one.")] = 0,
    trainer: Annotated[
        TrainerName | None,
        Parameter(
            help="What runs do: train small models on handwritten digits for real, or draw curves. "
            "By default digits where scikit-learn is installed, else curves."
        ),
    ] = None,
    steps: Annotated[int, Parameter(validator=Number(gte=1)), Parameter(help="Steps of a run.")] = 60,
    interval: Annotated[float, COUNT, Parameter(help="Seconds between two steps.")] = 1.0,
    seed: Annotated[int, Parameter(help="Decides IDs, curves, models and which requests a fault strikes.")] = 0,
    fault: Annotated[
        Sequence[Annotated[str, Parameter(validator=_check_fault)]],
        Parameter(
            negative="",
            show_default=False,
            help="What befalls requests: ROUTE:KIND[=VALUE][:CONDITION]..., such as get_logs:503:10% or "
            "any:latency=0.5 or start:drop=after:times=1. May be given several times.",
        ),
    ] = (),
    replay: Annotated[
        Path | None, Parameter(help="Play what `runs record` recorded, in place of a trainer.")
    ] = None,
    speed: Annotated[
        float | None, SPAN, Parameter(help="How many times as fast --replay plays; 1 by default.")
    ] = None,
    exec_: Annotated[
        str | None,
        Parameter(
            name="--exec", help="Run this command of the shell with endpoint and key set, and end with it."
        ),
    ] = None,
) -> int:
    """Serve a local Nexus until Ctrl-C, or for as long as a command runs.

    Prints the two lines that point any client of Nexus at it, the official one as
    well. It trains on this machine, keeps everything in memory, and never reads a
    real key.

    With --exec nothing is printed: the command finds the endpoint in
    DATATURE_API_BASE_URL, the key in DATATURE_SECRET_KEY and the first project in
    DATATURE_PROJECT, and its exit code is passed on.

    Such as:

      nexus-async local --trainer curves --port 8000
      nexus-async local --exec 'npm test'
      nexus-async local --replay run.jsonl --speed 60
    """
    if speed is not None and replay is None:
        raise UsageError(f"--speed {speed:g} is how fast a recording plays: name one with --replay")
    chosen = _trainer(trainer, steps, interval, seed) if replay is None else _player(replay, speed)
    nexus = LocalNexus(chosen, port=port, seed=seed)
    for each in fault:
        nexus.faults.add_text(each)
    bad = f" Faults: {', '.join(fault)}." if fault else ""
    return run_async(_serve(nexus, port, exec_, what=_what(chosen), bad=bad))


def _trainer(name: TrainerName | None, steps: int, interval: float, seed: int) -> Trainer:
    can_train = find_spec("sklearn") is not None
    if name == "digits" and not can_train:
        raise ModuleNotFoundError(
            "--trainer digits needs scikit-learn: pip install '.[demo]' in a clone, or pass --trainer curves"
        )
    if name == "curves" or not can_train:
        return CurveTrainer(steps=steps, interval=interval, seed=seed)
    return DigitsTrainer(steps=steps, step_seconds=interval, seed=seed)


def _player(file: Path, speed: float | None) -> Trainer:
    try:
        return ReplayTrainer(file, speed=1.0 if speed is None else speed)
    except OSError as failure:
        raise UsageError(f"cannot read --replay {file}: {failure.strerror}") from None


async def _serve(nexus: LocalNexus, port: int, command: str | None, *, what: str, bad: str) -> int:
    try:
        await nexus.start()
    except OSError as failure:
        raise CommandError(
            f"cannot listen on port {port}: {failure.strerror}. Pass --port 0 for a free one"
        ) from None
    async with nexus:
        if command is not None:
            return await _run_command(command, nexus)
        await _wait_beside(nexus, what, bad)
        return DONE


async def _run_command(command: str, nexus: LocalNexus) -> int:
    """Run a command of the shell, and return its exit code. Ctrl-C reaches it as well, and ends it."""
    known = {
        ENDPOINT_VARIABLE: nexus.url,
        SECRET_KEY_VARIABLE: nexus.secret_key,
        PROJECT_VARIABLE: nexus.project_id,
    }
    interrupted = _interruption()
    child = await asyncio.create_subprocess_shell(command, env={**os.environ, **known})
    ending = asyncio.create_task(interrupted.wait())
    ended = asyncio.create_task(child.wait())
    await asyncio.wait([ending, ended], return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        child.terminate()
    ending.cancel()
    code = await ended
    return 128 - code if code < 0 else code  # as a shell tells of one that a signal ended


async def _wait_beside(nexus: LocalNexus, what: str, bad: str) -> None:
    interrupted = _interruption()
    write_line(f"export {ENDPOINT_VARIABLE}={nexus.url}")  # for a shell to take in
    write_line(f"export {SECRET_KEY_VARIABLE}={nexus.secret_key}")
    projects = " and ".join(f"{project.name} ({project.id})" for project in nexus.projects)
    say(f"A local Nexus that {what}, with {projects}.{bad} Ctrl-C ends it.")
    await interrupted.wait()


def _what(trainer: Trainer) -> str:
    match trainer:
        case DigitsTrainer():
            return "trains for real"
        case ReplayTrainer():
            return "plays what was recorded"
        case _:
            return "draws curves"


def _interruption() -> asyncio.Event:
    """Return what is set by Ctrl-C, or when the process is told to end."""
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has no handlers: Ctrl-C raises there
        loop.add_signal_handler(signal.SIGINT, interrupted.set)
        loop.add_signal_handler(signal.SIGTERM, interrupted.set)
    return interrupted
