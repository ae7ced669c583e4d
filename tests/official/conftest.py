from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nexus_async.local import LocalNexus, ScriptedTrainer

from .callers import PYTHON, Account, Caller, call_theirs
from .recorder import Recorder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def theirs() -> Caller:
    """Make calls with the official client."""
    if not PYTHON.exists():
        pytest.fail("the official client is not installed: run `make test`, which installs it")
    return call_theirs


@pytest.fixture
async def nexus() -> AsyncIterator[LocalNexus]:
    async with LocalNexus(ScriptedTrainer()) as nexus:
        yield nexus


@pytest.fixture
def account(nexus: LocalNexus) -> Account:
    return Account(nexus.url, nexus.secret_key, nexus.project_id)


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    async with Recorder() as recorder:
        yield recorder
