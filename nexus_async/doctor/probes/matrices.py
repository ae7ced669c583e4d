"""Do confusion matrices decode?"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from nexus_async.doctor.anonymous import kind_of, short
from nexus_async.doctor.case import MATRIX, KnownRun
from nexus_async.doctor.probes.logs import chosen
from nexus_async.doctor.report import Finding, broken, counted, note, ok, unknown
from nexus_async.errors import InvalidMatrixError, RequestError, StatusError
from nexus_async.http.protocol import UNREADABLE
from nexus_async.models.confusion_matrix import (
    BACKGROUND,
    ConfusionMatrix,
    RunConfusionMatrix,
    decode_matrix,
)

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case

MOST: Final = 6
"""Runs whose matrices are asked for."""


class Cell(msgspec.Struct):
    """Name a member of a column, as the wire has it."""

    x: str
    y: int


class Column(msgspec.Struct):
    """Hold a column, as the wire has it."""

    id: str
    data: list[Cell]


async def probe_matrices(case: Case) -> list[Finding]:
    """Decode the matrices of a few runs of each status."""
    runs = chosen(case.runs)[:MOST]
    if not runs:
        return [unknown("no run, and so no confusion matrix")]
    findings = []
    for run in runs:
        findings += await _probe(case, run)
    return findings


async def _probe(case: Case, run: KnownRun) -> list[Finding]:
    where = f"of {short(run.id)} ({run.status})"
    try:
        body = await case.wire.get(MATRIX, run.project_id, run.id)
    except RequestError as error:
        absent = isinstance(error, StatusError) and error.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}
        told = f"{case.wire.told(error, MATRIX)}, {where}"
        return [note(f"{told}: perhaps a run without one") if absent else broken(told)]
    value = case.tally.take(body, RunConfusionMatrix, decode_matrix, route=MATRIX)
    return [_decoded(case, body, value, where)]


def _decoded(case: Case, body: bytes, value: Any, where: str) -> Finding:
    data = value.get("data") if isinstance(value, dict) else None
    try:
        evaluations = decode_matrix(body).evaluations
    except UNREADABLE:
        return broken(f"the answer {where} is no confusion matrix: {kind_of(value)}")
    except InvalidMatrixError:
        _compare(case, data, refused=True)
        return broken(f"the confusion matrix {where} makes no sense: {_reason(data)}")
    _compare(case, data, refused=False)
    return ok(
        f"the confusion matrix {where} decodes: {_told(list(evaluations.values()))}, data as {kind_of(data)}"
    )


def _told(evaluations: list[ConfusionMatrix]) -> str:
    if not evaluations:
        return "no evaluation yet"
    last = evaluations[-1]
    ground = "with" if BACKGROUND in last.classes else "without"
    named = "each" if all(each.evaluation.isdecimal() for each in evaluations) else "not each"
    times = counted(len(evaluations), "evaluation")
    return f"{times}, {named} named by a step, {len(last.classes)} rows and columns {ground} {BACKGROUND}"


def _compare(case: Case, data: Any, *, refused: bool) -> None:
    """Compare the inner JSON, evaluation by evaluation; what is no JSON, or no object, is told by the refusal."""
    inner = _inner(data)
    for columns in inner.values() if isinstance(inner, dict) else ():
        for column in columns if isinstance(columns, list) else ():
            case.tally.compare(column, Column, refused=refused)


def _inner(data: Any) -> Any:
    if not isinstance(data, str):
        return data
    try:
        return msgspec.json.decode(data)
    except UNREADABLE:
        return None


def _reason(data: Any) -> str:
    """Say what its inner JSON is, without a class's name."""
    inner = _inner(data)
    if inner is None:
        return "its `data` is no JSON" if isinstance(data, str) else f"its `data` is {kind_of(data)}"
    if not isinstance(inner, dict):
        return f"its `data` holds {kind_of(inner)} in place of an object"
    return "a class or a cell stands twice, is unknown or has no count; see also the shapes of Column"
