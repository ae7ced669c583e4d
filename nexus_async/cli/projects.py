"""`nexus-async projects` and `nexus-async workflows`."""

from __future__ import annotations

from cyclopts import App

from nexus_async.cli.listing import Listing, show
from nexus_async.cli.loop import run_async
from nexus_async.cli.options import AS_TABLE, ProjectOption, Shown
from nexus_async.cli.project import open_client, open_project
from nexus_async.cli.times import write_moment

projects = App(name="projects", help="Look at projects.", help_format="plaintext")
workflows = App(name="workflows", help="Look at workflows.", help_format="plaintext")


@projects.command(name="list")
def list_projects(*, shown: Shown = AS_TABLE) -> None:
    """List the projects that the secret key reaches.

    Such as:

      nexus-async projects list
      nexus-async projects list -o json
    """
    run_async(_list_projects(shown))


@workflows.command(name="list")
def list_workflows(*, project: ProjectOption = None, shown: Shown = AS_TABLE) -> None:
    """List the workflows of a project.

    Such as:

      nexus-async workflows list --project 'Blood cells'
      nexus-async workflows list -o jsonl
    """
    run_async(_list_workflows(project, shown))


async def _list_projects(shown: Shown) -> None:
    async with open_client() as client:
        infos = [project.info for project in await client.list_projects() if project.info is not None]
    rows = [(info.id, info.name, info.type, write_moment(info.create_date)) for info in infos]
    columns = ("id", "name", "type", "created")
    show(Listing(title="Projects", columns=columns, rows=rows, found=infos, needed=2), shown)


async def _list_workflows(wanted: str | None, shown: Shown) -> None:
    async with open_project(wanted) as project:
        flows = await project.workflows.list()
    rows = [(flow.id, flow.title, write_moment(flow.update_date)) for flow in flows]
    show(Listing(title="Workflows", columns=("id", "title", "updated"), rows=rows, found=flows, needed=2), shown)
