"""The fixtures and the marker, as a user's project uses them: each test runs a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

pytest_plugins = ["pytester"]

HOOK = "from nexus_async.testing import pytest_asyncio_loop_factories  # noqa: F401"
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings = error
addopts = --strict-markers
"""


@pytest.fixture
def passes(pytester: pytest.Pytester) -> Callable[..., None]:
    """Run a module of tests in a project of its own, all of which have to pass without a warning."""

    def run(tests: str, *, conftest: str = "", passed: int = 1) -> None:
        pytester.makeini(INI)
        pytester.makeconftest(conftest)
        pytester.makepyfile(tests)
        pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=passed)

    return run


def test_the_example_of_the_documentation_runs(passes: Callable[..., None]) -> None:
    import nexus_async.testing

    assert nexus_async.testing.__doc__
    example = nexus_async.testing.__doc__.split("```python\n")[1].split("```")[0]
    passes(example)


def test_a_scripted_run_is_seen_by_a_client_that_follows_it(passes: Callable[..., None]) -> None:
    passes(
        """
        import pytest

        @pytest.mark.virtual_time
        async def test_it(local_nexus, nexus_client):
            run = local_nexus.start_run()
            run.checkpoint(step=1, totalLoss=0.9)
            run.checkpoint(step=2, totalLoss="NaN")
            run.finish()
            project = nexus_client.get_project(local_nexus.project_id)
            seen = [checkpoint.step async for checkpoint in project.runs.stream_logs(run.id)]
            assert seen == [1, 2]
        """,
        conftest=HOOK,
    )


def test_options_choose_projects_and_trainer(passes: Callable[..., None]) -> None:
    passes(
        """
        import pytest
        from nexus_async.local import LocalProject, LocalWorkflow

        @pytest.fixture
        def local_nexus_options():
            workflows = [LocalWorkflow(title="mine")]
            return {"projects": [LocalProject(name="mine", workflows=workflows)], "secret_key": "my-key"}

        async def test_it(local_nexus, nexus_client):
            assert local_nexus.secret_key == "my-key"
            assert [project.info.name for project in await nexus_client.list_projects()] == ["mine"]
        """
    )


def test_a_marked_test_has_virtual_time_and_another_has_not(passes: Callable[..., None]) -> None:
    passes(
        """
        import asyncio, time
        import pytest
        from nexus_async.testing import is_virtual

        @pytest.mark.virtual_time
        async def test_marked(local_nexus, nexus_client):
            begin = time.monotonic()
            await asyncio.sleep(86000)
            await nexus_client.get_info()
            assert time.monotonic() - begin < 60
            assert local_nexus.now() == 1_705_466_384_796 + 86_000_000

        async def test_not_marked(local_nexus, nexus_client):
            assert not is_virtual(asyncio.get_running_loop())
            assert (await nexus_client.get_info()).name == "Local workspace"
        """,
        conftest=HOOK,
        passed=2,
    )


def test_loading_the_plugin_costs_nothing() -> None:
    program = "import nexus_async.testing.plugin, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {
        "aiohttp",
        "msgspec",
        "anyio",
        "async_solipsism",
        "nexus_async.client",
        "nexus_async.local",
    }


def test_virtual_time_without_the_hook_is_refused_and_not_run_in_real_time(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    pytester.makepyfile(
        "import asyncio, pytest\n"
        "@pytest.mark.virtual_time\n"
        "async def test_a_day():\n"
        "    await asyncio.sleep(86_400)\n"
    )
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", timeout=60)
    result.stdout.fnmatch_lines(["*needs a line in conftest.py: from nexus_async.testing import*"])
