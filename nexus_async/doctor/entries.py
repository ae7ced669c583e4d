"""What stands in a log, as the streams read it."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

from nexus_async.doctor.anonymous import kind_of, word
from nexus_async.doctor.report import Finding, broken, counted, note, ok
from nexus_async.events.entries import CHECKPOINT, read_checkpoint
from nexus_async.logs import LogReader

_ENTRY = frozenset({"ev", "t", "pl"})


class EntryTally:
    """Count what the entries of logs are, and which of them are no checkpoint although they say so."""

    def __init__(self) -> None:
        self.logs = self.entries = self.checkpoints = 0
        self._unknown: Counter[str] = Counter()
        self._payloads: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._odd: Counter[str] = Counter()
        self._order: Counter[str] = Counter()

    def take(self, body: bytes) -> None:
        """Read a log's body; raise `msgspec.DecodeError` where it is none."""
        values = entries_of(body)
        self.logs += 1
        self._count_order(values)
        for value in values:
            self._take_entry(value)

    def _take_entry(self, value: Any) -> None:
        self.entries += 1
        if not isinstance(value, dict):
            self._odd[f"an entry is {kind_of(value)} in place of an object"] += 1
            return
        for key in value.keys() - _ENTRY:
            self._odd[f"an entry has `{word(key)}` ({kind_of(value[key])}) beside ev, t and pl"] += 1
        ev = value.get("ev")
        name = word(ev) if isinstance(ev, str) else f"<{kind_of(ev)}>"
        if ev != CHECKPOINT:
            self._unknown[name] += 1
        elif read_checkpoint(value) is None:
            self._odd[f"a {CHECKPOINT} is no checkpoint: {_reason(value.get('pl'))}"] += 1
        else:
            self.checkpoints += 1
        self._count_time(value)
        self._count_payload(name, value.get("pl"))

    def _count_time(self, value: dict[str, Any]) -> None:
        if kind_of(value.get("t", ...)) not in {"integer", "number"}:
            came = kind_of(value["t"]) if "t" in value else "nothing"
            self._odd[f"the `t` of an entry is {came} in place of milliseconds"] += 1

    def _count_payload(self, ev: str, payload: Any) -> None:
        if isinstance(payload, dict):
            self._payloads[ev].update(f"`{word(key)}` {kind_of(item)}" for key, item in payload.items())
        else:
            self._payloads[ev][f"{kind_of(payload)} in place of an object"] += 1

    def _count_order(self, values: list[Any]) -> None:
        times = [value.get("t") for value in values if isinstance(value, dict)]
        read = [checkpoint for checkpoint in map(read_checkpoint, values) if checkpoint is not None]
        self._order["`t` goes back"] += _falls([t for t in times if isinstance(t, (int, float))])
        self._order["`step` goes back"] += _falls([step for step, _, _ in read])

    def findings(self) -> list[Finding]:
        """Return what was counted."""
        if not self.logs:
            return []
        found = [
            ok(f"{counted(self.logs, 'log')}, {self.entries} entries, {self.checkpoints} of them checkpoints")
        ]
        found += [
            note(f"`ev` `{ev}` is unknown to this release: {counted(times, 'time')}")
            for ev, times in self._unknown.most_common()
        ]
        found += [_odd(text, times) for text, times in self._odd.most_common()]
        found += [
            note(f"within a log, {text}: {counted(times, 'time')}")
            for text, times in self._order.items()
            if times
        ]
        found += [
            ok(f"`pl` of `{ev}`: {', '.join(f'{key} ({times})' for key, times in sorted(keys.items()))}")
            for ev, keys in self._payloads.items()
            if keys
        ]
        return found


def _odd(text: str, times: int) -> Finding:
    return (broken if "no checkpoint" in text else note)(f"{text}: {counted(times, 'time')}")


def entries_of(body: bytes) -> list[Any]:
    """Return the entries of a log's body as the streams read them; raise `msgspec.DecodeError` for another."""
    reading = LogReader().open()
    reading.begin()
    reading.feed(body)
    return [step.entry.value for news in reading.news() for step in news.steps]


def newest_time(values: list[Any]) -> float | None:
    """Return the seconds since the Unix epoch of the last checkpoint that has a time; None without one."""
    read = [checkpoint for checkpoint in map(read_checkpoint, values) if checkpoint is not None]
    return next((time for _, time, _ in reversed(read) if time is not None), None)


def _reason(payload: Any) -> str:
    if not isinstance(payload, dict):
        return f"its `pl` is {kind_of(payload)}"
    return f"its `step` is {kind_of(payload['step'])}" if "step" in payload else "it has no `step`"


def _falls(numbers: list[float]) -> int:
    return sum(later < earlier for earlier, later in pairwise(numbers))
