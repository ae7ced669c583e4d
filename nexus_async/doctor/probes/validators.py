"""Is an `ETag` honoured? A 304 would spare a client the body of a log that did not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nexus_async.doctor.anonymous import short
from nexus_async.doctor.case import LOG
from nexus_async.doctor.report import Finding, broken, note, ok, unknown
from nexus_async.errors import RequestError

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case


async def probe_validators(case: Case) -> list[Finding]:
    """Ask for the log of a run that is over a second time, with the validator that came with it."""
    ended = next((run for run in case.runs if run.is_over and run.log_ids), None)
    if ended is None:
        return [unknown("no run that is over has a log")]
    ids = (ended.project_id, ended.log_ids[-1])
    where = f"the log of {short(ended.id)}"
    try:
        first = await case.wire.look(LOG, *ids, if_none_match=None)
        if first.etag is None:
            return [ok(f"{where} has no `ETag`: a poll always brings the whole body, coded as {first.coding}")]
        second = await case.wire.look(LOG, *ids, if_none_match=first.etag)
    except RequestError as error:
        return [broken(case.wire.told(error, LOG))]
    if second.left_out:
        return [ok(f"{where} has an `ETag`, and is left out by a 304 where it did not change")]
    kept = "the same" if second.etag == first.etag else "another"
    return [note(f"{where} has an `ETag`, and comes whole all the same when asked with it; then it has {kept}")]
