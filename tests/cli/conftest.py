from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from cli.nexus_thread import Done, NexusThread
from nexus_async.cli.app import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def nexus() -> Iterator[NexusThread]:
    with NexusThread() as nexus:
        yield nexus


@pytest.fixture(autouse=True)
def own_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep whatever this machine's user has configured out of the tests."""
    for name in ("DATATURE_API_BASE_URL", "DATATURE_SECRET_KEY", "DATATURE_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DATATURE_SDK_CONFIG", str(tmp_path / "datature" / "config.yaml"))


@pytest.fixture
def reached(nexus: NexusThread, monkeypatch: pytest.MonkeyPatch) -> NexusThread:
    """Point commands at the local Nexus."""
    for name, value in nexus.environment.items():
        monkeypatch.setenv(name, value)
    return nexus


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Done]]:
    """Run a command in this process; no stream of it is a terminal."""
    before = signal.getsignal(signal.SIGTERM)

    def run_command(*words: str) -> Done:
        code = run(words)
        return Done(code, *capsys.readouterr())

    yield run_command
    signal.signal(signal.SIGTERM, before)
