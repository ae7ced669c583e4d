"""IDs in the shapes of Nexus, the same ones for the same seed."""

from __future__ import annotations

import base64
import binascii
import random
import uuid

_LOG_PREFIX = "runlog_"
_RUN_PREFIX = "run_"
_UUID_LENGTH = 36


def seeded(*parts: object) -> random.Random:
    """Make a generator of random numbers that depends on `parts` alone."""
    return random.Random(":".join(map(str, parts)))  # noqa: S311 - curves and IDs, nothing secret


class Identifiers:
    """Draw IDs, one after the other.

    `seed` decides all of them: the n-th ID of a kind is the same on each server of that seed.
    """

    __slots__ = ("_seed", "_sources")

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._sources: dict[str, random.Random] = {}

    def project(self) -> str:
        return f"proj_{self._hex('project', 32)}"

    def workflow(self) -> str:
        return f"flow_{self._hex('workflow', 24)}"

    def workspace(self) -> str:
        return f"ws_{self._hex('workspace', 32)}"

    def user(self) -> str:
        return f"user_{self._hex('user', 24)}"

    def request(self) -> str:
        return f"req_{self._hex('request', 32)}"

    def run(self) -> str:
        bits = self._source("run").getrandbits(128)
        return f"{_RUN_PREFIX}{uuid.UUID(int=bits, version=4)}"

    def _hex(self, kind: str, digits: int) -> str:
        return f"{self._source(kind).getrandbits(4 * digits):0{digits}x}"

    def _source(self, kind: str) -> random.Random:
        if kind not in self._sources:
            self._sources[kind] = seeded(self._seed, kind)
        return self._sources[kind]


def log_id(run_id: str, ordinal: int = 0) -> str:
    """Name a run's log: the unpadded base64 of `R` and the run's UUID, and of `/ordinal` after the first."""
    name = f"R{run_id.removeprefix(_RUN_PREFIX)}" + (f"/{ordinal}" if ordinal else "")
    return _LOG_PREFIX + base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def run_id_of(log: str) -> str | None:
    """Read the run's ID off a log's, or None where it is not of that form."""
    text = log.removeprefix(_LOG_PREFIX)
    try:
        name = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    return f"{_RUN_PREFIX}{name[1 : 1 + _UUID_LENGTH]}"
