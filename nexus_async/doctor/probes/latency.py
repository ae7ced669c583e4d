"""How long does an answer take?"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, Final

from nexus_async.doctor.case import PROJECTS, WORKSPACE
from nexus_async.doctor.report import Finding, broken, ok, unknown
from nexus_async.errors import RequestError

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case

TIMES: Final = 5


async def probe_latency(case: Case) -> list[Finding]:
    """Time a few small answers, one after the other."""
    answered = {sample.route for sample in case.wire.samples if sample.status < 300}  # noqa: PLR2004 - a success
    route = next((route for route in (WORKSPACE, PROJECTS) if route in answered), None)
    if route is None:
        return [unknown("nothing answers that could be timed")]
    failures, seconds = [], []
    for _ in range(TIMES):
        try:
            await case.wire.get_once(route)
            seconds.append(case.wire.samples[-1].seconds)
        except RequestError as error:
            failures.append(broken(case.wire.told(error, route)))
    if not seconds:
        return failures
    times = f"{_ms(min(seconds))} at least, a median of {_ms(median(seconds))}, {_ms(max(seconds))} at most"
    first = f"the first request of all, a connection made for it, {_ms(case.wire.samples[0].seconds)}"
    return [ok(f"GET {route}, {len(seconds)} times: {times}; {first}"), *failures]


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.3g} ms" if seconds < 1 else f"{1000 * seconds:.0f} ms"
