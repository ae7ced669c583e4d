"""What one tests automation with: a local Nexus and a client as pytest fixtures, and virtual time.

The fixtures `local_nexus` and `nexus_client` are there wherever this package is installed beside pytest:

```python
async def test_a_failed_run_is_reported(local_nexus, nexus_client):
    run = local_nexus.start_run()
    run.checkpoint(step=1, totalLoss=0.9)
    run.fail("out of memory")
    project = nexus_client.get_project(local_nexus.project_id)
    assert (await project.runs.get(run.id)).status.message == "out of memory"
```

With one line in `conftest.py`, tests marked `@pytest.mark.virtual_time` run on a loop whose clock jumps to
whatever is due next, so that an hour of following takes milliseconds, the same ones every time:

```python
from nexus_async.testing import pytest_asyncio_loop_factories  # noqa: F401
```
"""

from nexus_async.testing.check_store import check_store
from nexus_async.testing.virtual_time import (
    client_for,
    is_virtual,
    pytest_asyncio_loop_factories,
    run_in_virtual_time,
    virtual_time_loop,
)

__all__ = [
    "check_store",
    "client_for",
    "is_virtual",
    "pytest_asyncio_loop_factories",
    "run_in_virtual_time",
    "virtual_time_loop",
]
