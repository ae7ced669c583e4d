"""Errors: one tree, and each says what was asked, what came, how often it was tried and what to do."""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
import re

import pytest

from nexus_async import errors
from nexus_async.errors import NexusError, OutageError, OutcomeUnknownError, RequestError, StatusError

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, NexusError)]


def example(kind: type[NexusError]) -> NexusError:
    asked = {"method": "POST", "path": "/projects/p/runs", "attempts": 2}
    reason = errors.ServerError(status=503, code="c", message="m", request_id="r", retry_after=1.5, **asked)  # type: ignore[arg-type]  # one mapping for all
    if issubclass(kind, OutcomeUnknownError):
        return kind(reason)
    if issubclass(kind, OutageError):
        return kind(run_id="run_1", seconds=300.0, cursor="nxc1.x", reason=reason)
    if issubclass(kind, errors.StreamTimeoutError):
        return kind(run_id="run_1", why="no checkpoint for 5 s", status=None, cursor="nxc1.x")
    if issubclass(kind, errors.WaitTimeoutError):
        return kind(seconds=5.0, statuses={"run_1": "Running", "run_2": None})
    if issubclass(kind, errors.RunFailedError):
        return kind(run_id="run_1", status="Errored", message="out of memory")
    if issubclass(kind, StatusError):
        return kind(status=418, message="teapot", **asked)  # type: ignore[arg-type]  # one mapping for all
    if issubclass(kind, RequestError):
        return kind("it broke", **asked)  # type: ignore[arg-type]  # one mapping for all
    return kind() if kind is errors.ClientClosedError else kind("it makes no sense")


def facts(error: BaseException) -> dict[str, object]:
    return {k: facts(v) if isinstance(v, BaseException) else v for k, v in error.__dict__.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_pickles_and_copies(kind: type[NexusError]) -> None:
    error = example(kind)
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is kind
        assert (str(again), facts(again), again.args) == (str(error), facts(error), error.args)


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_line(kind: type[NexusError]) -> None:
    assert len(str(example(kind)).splitlines()) == 1


@pytest.mark.parametrize("kind", [kind for kind in KINDS if issubclass(kind, RequestError)])
def test_every_error_of_a_request_tells_what_was_asked_and_how_often(kind: type[NexusError]) -> None:
    assert re.match(r"POST /projects/p/runs: .+ \(2 attempts\)", str(example(kind)))


LOST = errors.ConnectionLostError("the connection broke", method="POST", path="/projects/p/runs")


def test_an_open_start_tells_how_to_look_for_the_run() -> None:
    assert str(OutcomeUnknownError(LOST, project_id="p", flow_id="flow_1")) == (
        "POST /projects/p/runs: whether it was carried out is unknown: the connection broke (1 attempt). "
        "Look for the run with `runs.find_started(error)` before you start another"
    )


def test_any_other_open_outcome_tells_of_no_run() -> None:
    assert str(OutcomeUnknownError(LOST)) == (
        "POST /projects/p/runs: whether it was carried out is unknown: the connection broke (1 attempt). "
        "Look whether it was carried out before you send it again"
    )


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if issubclass(kind, RequestError) and kind is not RequestError]
)
def test_every_error_of_a_request_tells_what_to_do(kind: type[RequestError]) -> None:
    assert re.search(r"\(2 attempts\)\. \S.+[^.]$", str(example(kind)))


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_shadows_a_builtin(kind: type[NexusError]) -> None:
    assert not hasattr(builtins, kind.__name__)


def test_the_tree_in_the_documentation_is_the_real_one() -> None:
    drawn = re.findall(r"^([ |]*)(?:\+- )?(\w+Error)\b", errors.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    for indent, name in drawn:
        depth = (len(indent) - 1) // 4 if name != "NexusError" else 0
        path[depth:] = [name]
        assert issubclass(getattr(errors, name), getattr(errors, path[max(0, depth - 1)]))
    assert {name for _, name in drawn} == {kind.__name__ for kind in KINDS}
