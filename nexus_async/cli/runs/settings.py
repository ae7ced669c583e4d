"""What a run was started with, in a few words each."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nexus_async.models.run import Run, RunLimit


def settings_of(run: Run) -> dict[str, str]:
    """Return the settings of a run by what people call them; empty where an answer has none."""
    accelerator, checkpoint = run.execution.accelerator, run.execution.checkpoint
    return {
        "accelerator": f"{accelerator.count} x {accelerator.name}" if accelerator else "",
        "strategy": checkpoint.strategy if checkpoint else "",
        "metric": (checkpoint.metric or "") if checkpoint else "",
        "evaluation": f"every {checkpoint.evaluation_interval} steps" if checkpoint else "",
        "limit": _limit_in_words(run.execution.limit),
    }


def _limit_in_words(limit: RunLimit | None) -> str:
    units = {"LIM_MINUTE": "minutes", "LIM_EPOCHS": "epochs"}
    if limit is None or limit.metric not in units:
        return ""
    return f"{limit.value} {units[limit.metric]}"
