"""`nexus-async runs start`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from cyclopts import Parameter

from nexus_async.cli.console import say
from nexus_async.cli.exits import DONE, UsageError
from nexus_async.cli.listing import Listing, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.naming import find_flow
from nexus_async.cli.options import AS_TABLE, FLAG, ProjectOption, Shown
from nexus_async.cli.project import open_project
from nexus_async.models.setup import RunSetup

if TYPE_CHECKING:
    from nexus_async.models.run import Run

_BY_DEFAULT: Final = {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}


def start(
    *,
    flow: Annotated[str, Parameter(help="The workflow to train, by its ID or title.")],
    gpu: Annotated[str | None, Parameter(help="The accelerator to train on, such as GPU_T4.")] = None,
    file: Annotated[
        str | None,
        Parameter(
            allow_leading_hyphen=True,
            help="The setup as JSON, as RunSetup takes it; - is standard input. --gpu has the last word.",
        ),
    ] = None,
    watch: Annotated[bool, FLAG, Parameter(help="Watch it to its end.")] = False,
    project: ProjectOption = None,
    shown: Shown = AS_TABLE,
) -> int:
    """Start a run of a workflow, and print its ID. It is paid for.

    Without a file it saves its latest checkpoint (STRAT_ALWAYS_SAVE_LATEST), and
    has no limit. With --watch it ends as watch does.

    Such as:

      nexus-async runs start --flow 'My workflow' --gpu GPU_T4
      nexus-async runs start --flow flow_63d0f --file setup.json --watch
    """
    setup = read_setup(gpu, file)
    run = run_async(_start(flow, setup, project))
    if not watch:
        show(Listing(title="Started", columns=("run",), rows=[(run.id,)], found=run), shown)
        return DONE
    say(f"Started {run.id}")
    return _watch(run, shown)


def read_setup(gpu: str | None, file: str | None) -> RunSetup:
    """Return the setup of a file and options. Raises `UsageError`, and `InvalidArgumentError`."""
    if gpu is None and file is None:
        raise UsageError("what to train on? Pass --gpu, such as --gpu GPU_T4, or a setup with --file")
    setup: dict[str, Any] = {"checkpoint": _BY_DEFAULT} if file is None else _read_file(file)
    if gpu is not None:
        accelerator = setup.get("accelerator")
        setup["accelerator"] = {**(accelerator if isinstance(accelerator, dict) else {}), "name": gpu}
    return RunSetup.parse(setup)


def _read_file(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return msgspec.json.decode(text, type=dict[str, Any])
    except OSError as failure:
        raise UsageError(f"cannot read --file {file}: {failure.strerror}") from None
    except msgspec.DecodeError as refusal:
        raise UsageError(f"--file {file} is no JSON object: {refusal}") from None


async def _start(flow: str, setup: RunSetup, wanted: str | None) -> Run:
    async with open_project(wanted) as project:
        flow_id = find_flow(flow, await project.workflows.list()).id
        return await project.runs.start(flow_id, setup)


def _watch(run: Run, shown: Shown) -> int:
    from nexus_async.cli.runs.watching import watch  # noqa: PLC0415 - where it is asked for

    return watch(run.id, project=run.project_id, shown=shown)
