"""A trainer that leaves everything to a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nexus_async.local.run import LocalRun


class ScriptedTrainer:
    """Do nothing: a script says what happens, by `nexus.run(run_id).checkpoint(...)` and its like."""

    speed = 1.0

    async def train(self, run: LocalRun) -> None:
        """Wait until a script has ended the run."""
        await run.wait_over()
