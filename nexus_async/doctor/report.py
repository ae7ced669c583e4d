"""What a report holds, and how it is written: as markdown for people, as JSON for machines."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

import msgspec

OK: Final = 0
BROKEN: Final = 1
REFUSED: Final = 4

Level = Literal["ok", "note", "unknown", "broken"]
"""As it should be; new to this release, yet taken; nothing there to look at; not as this release needs it."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Say one thing that was found."""

    level: Level
    text: str


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what one probe found."""

    title: str
    findings: tuple[Finding, ...]


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Hold what all probes found. Nothing in it is secret: no key, no whole ID, no name and no metric's value."""

    versions: dict[str, str]
    """Of this package, of Python and of what carries and reads the answers."""
    endpoint: str
    """Where it was asked; one that is not Nexus' own is not named."""
    requests: int
    """How many were sent, each of them a GET."""
    key_refused: bool
    """Whether nothing could be asked with the key."""
    sections: tuple[Section, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 where everything could be said, 1 where something is broken, 4 for a refused key."""
        if self.key_refused:
            return REFUSED
        return BROKEN if self.count("broken") else OK

    def count(self, level: Level) -> int:
        """Return how many findings are of a level."""
        return self._levels()[level]

    def markdown(self) -> str:
        """Return the report as markdown, which reads as plain text as well."""
        lines = ["# nexus-async doctor", "", self._verdict(), "", self._setting()]
        for section in self.sections:
            lines += ["", f"## {section.title}"]
            lines += [f"- {finding.level}: {finding.text}" for finding in section.findings]
        return "\n".join(lines) + "\n"

    def json(self) -> str:
        """Return the report as JSON: the fields of this class, `exit_code` among them."""
        plain = {**msgspec.to_builtins(self), "exit_code": self.exit_code}
        return msgspec.json.format(msgspec.json.encode(plain)).decode() + "\n"

    def _levels(self) -> Counter[Level]:
        return Counter(finding.level for section in self.sections for finding in section.findings)

    def _verdict(self) -> str:
        if self.key_refused:
            return "The key is refused, so that nothing else could be asked."
        levels = self._levels()
        told = {"broken": "broken", "note": "to note", "unknown": "not to be told", "ok": "as expected"}
        return f"{', '.join(f'{levels[level]} {what}' for level, what in told.items())}."  # type: ignore[index]  # the keys are levels

    def _setting(self) -> str:
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{versions}. Asked {self.endpoint}, {counted(self.requests, 'time')}, by GET alone."


def counted(number: int, what: str) -> str:
    """Return a number with its noun, in the plural where there are several or none."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def ok(text: str) -> Finding:
    """Say that something is as it should be."""
    return Finding(level="ok", text=text)


def note(text: str) -> Finding:
    """Say that something is new to this release, or odd, and was taken."""
    return Finding(level="note", text=text)


def unknown(text: str) -> Finding:
    """Say that there is nothing to look at."""
    return Finding(level="unknown", text=text)


def broken(text: str) -> Finding:
    """Say that something is not as this release needs it."""
    return Finding(level="broken", text=text)
