"""The whole course of a run, as columns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, strategies as st

from nexus_async.models.history import history_of

if TYPE_CHECKING:
    from nexus_async import Project
    from nexus_async.local import LocalNexus


def test_a_metric_that_comes_later_or_is_missing_has_gaps() -> None:
    history = history_of("run_1", [(1, 10.0, {"a": 1.0}), (2, None, {"b": 2.0}), (1, 12.0, {"a": 3.0, "b": 4.0})])
    assert (history.steps, str(history.times)) == ([1, 2, 1], "[10.0, nan, 12.0]")
    assert str(history.metrics) == "{'a': [1.0, nan, 3.0], 'b': [nan, 2.0, 4.0]}"
    assert len(history) == 3


@given(
    st.lists(
        st.tuples(st.integers(), st.none() | st.floats(), st.dictionaries(st.sampled_from("abc"), st.floats()))
    )
)
def test_all_columns_have_one_length_and_every_value_its_place(
    checkpoints: list[tuple[int, float | None, dict[str, float]]],
) -> None:
    history = history_of("run_1", checkpoints)
    assert {len(history.steps), len(history.times), *map(len, history.metrics.values())} == {len(checkpoints)}
    for i, (_, _, values) in enumerate(checkpoints):
        kept = {name: column[i] for name, column in history.metrics.items()}
        assert all(repr(kept[name]) == repr(value) for name, value in values.items())
        assert all(math.isnan(kept[name]) for name in kept.keys() - values.keys())


@pytest.mark.virtual_time
async def test_the_history_of_a_run_is_all_checkpoints_of_all_its_logs(
    local_nexus: LocalNexus, project: Project
) -> None:
    run = local_nexus.start_run()
    run.log("trainingStarted")
    run.checkpoint(step=1, totalLoss=0.5)
    run.checkpoint(step=2, totalLoss="NaN")
    run.open_log()
    run.checkpoint(step=1, totalLoss=0.4, accuracy=0.9)
    history = await project.runs.history(run.id)
    assert history.steps == [1, 2, 1]
    assert str(history.metrics) == "{'totalLoss': [0.5, nan, 0.4], 'accuracy': [nan, nan, 0.9]}"
    assert history.run_id == run.id


def test_a_data_frame_has_a_row_a_checkpoint() -> None:
    frame = history_of("run_1", [(1, 10.0, {"a": 1.0}), (2, None, {})]).to_pandas()
    assert list(frame.columns) == ["step", "time", "a"]
    assert frame["time"].dt.tz is not None
    assert list(frame["step"]) == [1, 2]
    assert list(frame.isna().sum()) == [0, 1, 1]
