"""`nexus-async dashboard`."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from typing import Annotated, Final

from cyclopts import Parameter

from nexus_async.cli.console import say, write_line
from nexus_async.cli.exits import CommandError
from nexus_async.cli.loop import run_async
from nexus_async.cli.options import COUNT, FLAG, PORT, ProjectOption
from nexus_async.cli.project import open_project
from nexus_async.dashboard.dashboard import ENDED, Dashboard

TOKEN_VARIABLE: Final = "NEXUS_ASYNC_DASHBOARD_TOKEN"  # noqa: S105 - the name of a variable


def dashboard(
    *,
    project: ProjectOption = None,
    port: Annotated[int, PORT, Parameter(help="The port to listen on; 0 takes a free one.")] = 0,
    host: Annotated[
        str, Parameter(help="Where to listen. By default for this machine alone; 0.0.0.0 is for all others too.")
    ] = "127.0.0.1",
    open_: Annotated[bool, Parameter(name="--open", help="Open it in a browser."), FLAG] = False,
    allow_kill: Annotated[bool, Parameter(help="Let runs be killed from the page."), FLAG] = False,
    ended: Annotated[
        int, COUNT, Parameter(help="Runs that are over and shown all the same, the last ones.")
    ] = ENDED,
) -> None:
    """Show runs on a live page in a browser, until Ctrl-C.

    Prints its URL, which holds a random token: whoever has it is let in. A page that
    is to outlive a restart needs the same port and the same token, which is taken
    from NEXUS_ASYNC_DASHBOARD_TOKEN where that is set.

    Such as:

      nexus-async dashboard --open
      nexus-async dashboard --project 'Blood cells' --port 8765 --allow-kill
    """
    run_async(_serve(project, port=port, host=host, opens=open_, allow_kill=allow_kill, ended=ended))


async def _serve(wanted: str | None, *, port: int, host: str, opens: bool, allow_kill: bool, ended: int) -> None:
    async with open_project(wanted) as project:
        shown = Dashboard(
            project,
            ended=ended,
            host=host,
            port=port,
            token=os.environ.get(TOKEN_VARIABLE) or None,
            allow_kill=allow_kill,
        )
        try:
            await shown.__aenter__()
        except OSError as failure:
            raise CommandError(
                f"cannot listen on {host}, port {port}: {failure.strerror}. Pass --port 0 for a free one"
            ) from None
        try:
            write_line(shown.url)
            say("The dashboard is there until Ctrl-C. Its URL is for you alone: whoever has it is let in.")
            if opens:
                await asyncio.to_thread(webbrowser.open, shown.new_url())  # not the token: ps shows it
            await shown.wait()
        finally:
            await shown.aclose()
