"""Which headers come, of those that a client could use?"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from nexus_async.doctor.anonymous import word
from nexus_async.doctor.report import Finding, counted, note, ok, unknown

if TYPE_CHECKING:
    from nexus_async.doctor.case import Case
    from nexus_async.doctor.wire import Sample

TOLD: Final = ("Retry-After", "Content-Encoding", "Content-Type", "Cache-Control", "Vary", "Age", "Date", "ETag")
"""What is told of by name, whether it comes or not."""
VALUED: Final = re.compile(
    r"(x-)?ratelimit.*|retry-after|content-encoding|content-type|cache-control|vary|age", re.IGNORECASE
)
"""What is told with its values: none of them is about the user."""
_VALUE = re.compile(r"[\w\s;,=/.*\"()+-]{0,80}")
MOST_VALUES: Final = 5


async def probe_headers(case: Case) -> list[Finding]:
    """Count the headers of every answer so far."""
    samples = case.wire.samples
    if not samples:
        return [unknown("no answer came")]
    names = Counter(name.lower() for sample in samples for name in set(sample.headers))
    limits = sorted(name for name in names if "ratelimit" in name)
    told = [_told(name, samples) for name in (*TOLD, *limits)]
    if not limits:
        told.append(ok("`RateLimit-*`: on none"))
    others = sorted(names.keys() - {name.lower() for name in TOLD} - set(limits))
    return [*told, *_statuses(samples), ok(f"others, by name: {', '.join(word(name) for name in others)}")]


def _told(name: str, samples: list[Sample]) -> Finding:
    values = [sample.headers[name] for sample in samples if name in sample.headers]
    if not values:
        return ok(f"`{name}`: on none")
    said = f"`{name}`: on {len(values)} of {len(samples)} answers"
    if name == "ETag":
        routes = sorted({sample.route for sample in samples if name in sample.headers})
        weak = sum(value.startswith("W/") for value in values)
        return ok(f"{said}, {weak} of them weak; at {', '.join(routes)}")
    if VALUED.fullmatch(name):
        counted = Counter(value if _VALUE.fullmatch(value) else "another" for value in values)
        said += f": {', '.join(f'{value} ({times})' for value, times in counted.most_common(MOST_VALUES))}"
    return ok(said)


def _statuses(samples: list[Sample]) -> list[Finding]:
    odd = Counter((sample.status, sample.route) for sample in samples if sample.status != 200)  # noqa: PLR2004 - OK
    return [
        note(f"status {status} at {route}: {counted(times, 'time')}")
        for (status, route), times in sorted(odd.items())
    ]
