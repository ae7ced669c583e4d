"""A retry budget: a few failures are tried again, a storm of them is not."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, strategies as st
from pieces import Pieces
from raw_server import ANSWER, DROP_BEFORE, Step, serving

from nexus_async import ConnectionLostError, OutcomeUnknownError, RateLimitedError, RequestError
from nexus_async.config import MAX_IN_FLIGHT, RETRY_BUDGET, RETRY_REFILL
from nexus_async.http.budget import RetryBudget
from nexus_async.http.protocol import get

SETUP = {"accelerator": {"name": "GPU_T4"}, "checkpoint": {"strategy": "STRAT_ALWAYS_SAVE_LATEST"}}
REFUSED = Step(b"HTTP/1.1 429 No\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", breaks=False)


def test_a_budget_is_spent_by_retries_and_then_empty() -> None:
    budget = RetryBudget(3)
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]


def test_successes_bring_a_share_of_a_retry_back() -> None:
    budget = RetryBudget(1, refill=0.25)
    budget.spend()
    given = []
    for _ in range(8):
        budget.earn()
        given.append(budget.spend())
    assert given == [False, False, False, True] * 2


def test_a_budget_never_holds_more_than_its_size() -> None:
    budget = RetryBudget(2)
    for _ in range(100):
        budget.earn()
    assert budget.left == 2


def test_by_default_each_of_the_calls_in_flight_may_be_tried_twice_more() -> None:
    assert RetryBudget().left == RETRY_BUDGET == 2 * MAX_IN_FLIGHT


@given(st.lists(st.booleans(), max_size=500))
def test_retries_are_never_more_than_the_size_and_a_share_of_the_successes(successes: list[bool]) -> None:
    budget, retries = RetryBudget(10, refill=0.2), 0
    for success in successes:
        if success:
            budget.earn()
        else:
            retries += budget.spend()
    assert retries <= 10 + 0.2 * sum(successes) + 1e-9


async def test_calls_that_fail_share_the_budget_of_their_client_and_its_views() -> None:
    async with serving(DROP_BEFORE) as raw, raw.client() as client:
        for _ in range(RETRY_BUDGET // 2 + 5):
            with pytest.raises(ConnectionLostError):
                await client.with_options(timeout=9).get_info()
        assert len(raw.requests) == RETRY_BUDGET // 2 + 5 + RETRY_BUDGET
        assert client.stats().retries_left == 0


async def drained(raw_client_steps: Step) -> RequestError:
    """Fail with a budget that is spent."""
    async with serving(raw_client_steps) as raw, raw.client() as client:
        while client._requester.budget.spend():
            pass
        with pytest.raises(RequestError) as caught:
            await client.get_info()
        assert len(raw.requests) == caught.value.attempts
        return caught.value


async def test_a_call_without_a_budget_fails_at_once_and_says_why() -> None:
    error = await drained(DROP_BEFORE)
    assert error.attempts == 1
    assert "retry budget is spent" in error.__notes__[0]


async def test_the_note_is_kept_by_a_pickle() -> None:
    error = await drained(DROP_BEFORE)
    assert pickle.loads(pickle.dumps(error)).__notes__ == error.__notes__


async def test_a_429_is_tried_again_without_a_budget() -> None:
    error = await drained(REFUSED)
    assert isinstance(error, RateLimitedError)
    assert error.attempts == 3


async def test_a_success_is_worth_a_retry_again() -> None:
    async with serving(*[ANSWER] * 5, DROP_BEFORE, ANSWER) as raw, raw.client().get_project("p") as project:
        budget = project._requester.budget
        while budget.spend():
            pass
        for _ in range(6):
            await project.runs.get("run_1")
        assert len(raw.requests) == 7


async def test_a_start_without_a_budget_is_as_unknown_as_with_one() -> None:
    async with serving(DROP_BEFORE) as raw, raw.client().get_project("p") as project:
        while project._requester.budget.spend():
            pass
        with pytest.raises(OutcomeUnknownError):
            await project.runs.start("flow_1", SETUP)


async def test_a_log_that_is_followed_brings_a_share_of_a_retry_back() -> None:
    async with serving(DROP_BEFORE, ANSWER) as raw, raw.client() as client:
        await client.get_project("p").runs.get("run_1")
        assert client.stats().retries_left == pytest.approx(RETRY_BUDGET - 1 + RETRY_REFILL)
        await client._requester.read_once(get("/log"), Pieces())
        assert client.stats().retries_left == pytest.approx(RETRY_BUDGET - 1 + 2 * RETRY_REFILL)
