from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from nexus_async.testing import pytest_asyncio_loop_factories  # noqa: F401 - a hook

if TYPE_CHECKING:
    from nexus_async import Client, Project
    from nexus_async.local import LocalNexus

settings.register_profile("nexus", deadline=None)  # no test asserts on time
settings.load_profile("nexus")


@pytest.fixture
def project(local_nexus: LocalNexus, nexus_client: Client) -> Project:
    return nexus_client.get_project(local_nexus.project_id)
