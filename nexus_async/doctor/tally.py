"""What the answers of one kind have in common: where they differ from the model, counted over all of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from nexus_async.doctor.known import KNOWN
from nexus_async.doctor.report import Finding, Section, broken, counted, note, ok
from nexus_async.doctor.shapes import Difference, differences, model_of
from nexus_async.http.protocol import UNREADABLE
from nexus_async.logs.entries import loads

if TYPE_CHECKING:
    from collections.abc import Callable


class Tally:
    """Compare answers with the models, and take each in with the decoder that a client has for it."""

    def __init__(self) -> None:
        self._models: Counter[str] = Counter()
        self._taken: defaultdict[str, Counter[Difference]] = defaultdict(Counter)
        self._refused: defaultdict[str, Counter[Difference]] = defaultdict(Counter)
        self._unreadable: Counter[str] = Counter()

    def take(self, body: bytes, shape: Any, decode: Callable[[bytes], object], *, route: str) -> Any:
        """Return the decoded JSON of a body after it was compared with `shape`; None where it is no JSON."""
        try:
            value = loads(body)
        except UNREADABLE:
            self._unreadable[f"GET {route}: {_kind_of_text(body)} in place of JSON"] += 1
            return None
        self.compare(value, shape, refused=_refuses(decode, body))
        return value

    def compare(self, value: Any, shape: Any, *, refused: bool) -> None:
        """Count where decoded JSON differs from `shape`; `refused` tells whether a client could not take it."""
        model = model_of(shape)
        self._models[model] += len(value) if isinstance(value, list) else 1
        found = differences(value, shape, known=KNOWN)
        (self._refused if refused else self._taken)[model].update(found)
        if refused and not any(each.kind in {"type", "missing"} for each in found):
            self._refused[model][Difference(model, "type", "something that no comparison tells of")] += 1

    def section(self) -> Section:
        """Return what was counted, a model after the other."""
        findings = [broken(text) for text in self._unreadable]
        for model, count in self._models.items():
            findings += self._findings_of(model, count)
        return Section(title="Shapes", findings=tuple(findings))

    def _findings_of(self, model: str, count: int) -> list[Finding]:
        refused, taken = self._refused[model], self._taken[model]
        findings = [
            (broken if each.kind in {"missing", "type"} else note)(_told(each, times, count))
            for each, times in refused.items()
            if each.kind != "absent"
        ]
        findings += [note(_told(each, times, count)) for each, times in taken.items() if each.kind != "absent"]
        absent = [
            f"`{each.path}` ({times} of {count})"
            for each, times in (refused + taken).items()
            if each.kind == "absent"
        ]
        if absent:
            findings.append(ok(f"{model}: optional, and not always there: {', '.join(absent)}"))
        return findings or [ok(f"{model}: as this release knows it ({count} seen)")]


def _told(found: Difference, times: int, count: int) -> str:
    where = f"`{found.path}`"
    match found.kind:
        case "extra":
            said = f"{where} ({found.told}) is unknown to this release"
        case "value":
            said = f"{where} is `{found.told}`, which is unknown to this release"
        case "missing":
            said = f"{where} is not there"
        case _:
            said = f"{where} is {found.told}"
    return f"{said}: {counted(times, 'time')} in {count}"


def _refuses(decode: Callable[[bytes], object], body: bytes) -> bool:
    try:
        decode(body)
    except UNREADABLE:
        return True
    return False


def _kind_of_text(body: bytes) -> str:
    if not body.strip():
        return "an empty body"
    return "markup" if body.lstrip().startswith(b"<") else f"{len(body)} bytes of something else"
