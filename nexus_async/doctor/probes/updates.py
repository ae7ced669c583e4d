"""Does `updateDate` move with checkpoints? What moves could spare a client polls of logs.

A first look asks for the run and then for its log, a second one the other way round: a checkpoint that is new in
the second log was written between the two looks at the run.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from nexus_async.doctor.anonymous import short, word
from nexus_async.doctor.case import LOG, RUN, KnownRun, run_of
from nexus_async.doctor.entries import entries_of, newest_time
from nexus_async.doctor.report import Finding, broken, counted, note, ok, unknown
from nexus_async.errors import RequestError
from nexus_async.http.protocol import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from nexus_async.doctor.case import Case

MOST: Final = 3
"""Active runs that are looked at."""


@dataclass(frozen=True)
class _Look:
    run: KnownRun
    entries: int
    newest: float | None
    """Seconds since the Unix epoch, of the newest checkpoint of the last log."""


async def probe_updates(case: Case) -> list[Finding]:
    """Look twice at a few active runs."""
    active = [run for run in case.runs if run.status and not run.is_over and run.log_ids][:MOST]
    if not active:
        return [unknown("no active run with a log: whether `updateDate` moves with checkpoints cannot be told")]
    before = [await _guarded(case, _first_look(case, run)) for run in active]
    case.say(f"looking at {counted(len(active), 'active run')} again in {case.wait:g} s")
    await asyncio.sleep(case.wait)
    return [await _second(case, first) for first in before]


async def _second(case: Case, first: _Look | Finding) -> Finding:
    if isinstance(first, Finding):
        return first
    second = await _guarded(case, _second_look(case, first.run))
    return second if isinstance(second, Finding) else _judge(first, second, wait=case.wait)


async def _guarded(case: Case, looking: Awaitable[_Look]) -> _Look | Finding:
    """Return a look, or what to say where it failed."""
    try:
        return await looking
    except RequestError as error:
        return broken(case.wire.told(error, f"{RUN} or {LOG}"))
    except UNREADABLE:
        return broken("an active run, or its log, cannot be read: see Logs and Shapes")


async def _first_look(case: Case, run: KnownRun) -> _Look:
    seen = await _run(case, run)
    return _look(seen, await case.wire.get(LOG, run.project_id, run.log_ids[-1]))


async def _second_look(case: Case, run: KnownRun) -> _Look:
    body = await case.wire.get(LOG, run.project_id, run.log_ids[-1])
    return _look(await _run(case, run), body)


async def _run(case: Case, run: KnownRun) -> KnownRun:
    seen = run_of(run.project_id, msgspec.json.decode(await case.wire.get(RUN, run.project_id, run.id)))
    if seen is None or not seen.log_ids:
        raise msgspec.DecodeError("no run with a log")
    return seen


def _look(run: KnownRun, log: bytes) -> _Look:
    values = entries_of(log)
    return _Look(run, len(values), newest_time(values))


def _judge(before: _Look, after: _Look, *, wait: float) -> Finding:
    where = f"{short(after.run.id)} ({word(after.run.status)})"
    if not after.run.update_date:
        return broken(f"{where} has no `updateDate`")
    moved = after.run.update_date - before.run.update_date
    if after.entries <= before.entries or after.newest == before.newest:
        still = "stands still as well" if not moved else f"moved by {moved / 1000:.1f} s all the same"
        return unknown(
            f"{where}: no new checkpoint within {wait:g} s, and `updateDate` {still}; try --wait {4 * wait:g}"
        )
    if after.run.status != before.run.status:
        return unknown(f"{where}: its status changed meanwhile, so that `updateDate` tells nothing; try again")
    if not moved:
        return ok(f"{where}: `updateDate` does not move with checkpoints")
    return note(f"{where}: `updateDate` moves with checkpoints{_lag(after)}")


def _lag(look: _Look) -> str:
    if look.newest is None:
        return ""
    return f"; it is {look.run.update_date / 1000 - look.newest:+.1f} s from the `t` of the newest"
