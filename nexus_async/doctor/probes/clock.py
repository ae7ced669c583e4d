"""How far are the server's clock and this machine's apart?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nexus_async.doctor.report import Finding, note, ok, unknown
from nexus_async.http.protocol import seconds_of_date

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nexus_async.doctor.case import Case
    from nexus_async.doctor.wire import Sample

WORTH_A_NOTE: Final = 5.0
"""Seconds: what `since` and the age of data are off by, where the clocks are."""


async def probe_clock(case: Case) -> list[Finding]:
    """Compare the `Date` of every answer with the time between asking and its arrival."""
    found = skew(case.wire.samples)
    if found is None:
        return [unknown("no answer carries a `Date` that can be read")]
    low, high = found
    if low > high:
        return [note(f"the server's clock differs from answer to answer, by {low - high:.1f} s and more")]
    told = f"the server's clock is {low:+.1f} to {high:+.1f} s from this machine's"
    return [note(told) if low > WORTH_A_NOTE or high < -WORTH_A_NOTE else ok(told)]


def skew(samples: Iterable[Sample]) -> tuple[float, float] | None:
    """Return between which seconds the server's clock is ahead; the first is the larger where no skew fits all.

    A `Date` is cut to the second (RFC 9110, section 5.6.7), and was written between asking and the arrival.
    """
    dates = [(seconds_of_date(sample.headers.get("Date", "")), sample) for sample in samples]
    bounds = [
        (date - (sample.sent_at + sample.seconds), date + 1 - sample.sent_at)
        for date, sample in dates
        if date is not None
    ]
    if not bounds:
        return None
    return max(low for low, _ in bounds), min(high for _, high in bounds)
