"""Times and spans of time, as people type and read them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from nexus_async.cli.exits import UsageError

_UNITS: Final = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "": 1.0}
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)([dhms]?)")
_LONGEST: Final = timedelta(days=36500).total_seconds()


def read_span(option: str, text: str) -> float:
    """Return the seconds of a span such as `90`, `90s`, `1h30m` or `2d`. Raises `UsageError`."""
    parts = _SPAN.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not 0 < seconds <= _LONGEST:
        raise UsageError(f"{option} {text} is no span of time: write 90s, 15m, 1h30m or 2d")
    return seconds


def read_moment(option: str, text: str, *, now: datetime) -> datetime:
    """Return the moment that a text names: a span before `now`, or a date, local where it has no zone.

    Raises `UsageError`.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return now - timedelta(seconds=read_span(option, text))
    return at if at.tzinfo else at.astimezone()


def write_span(seconds: float) -> str:
    """Write a span in at most six characters: its two greatest units."""
    whole = round(max(0.0, seconds))
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days}d{hours:02}h" if days < 100 else f"{days}d"  # noqa: PLR2004 - what fits
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{whole % 60:02}s" if minutes else f"{whole}s"


def seconds_between(begin: int, end: int) -> float | None:
    """Return the seconds between two times in milliseconds; None where one is 0: the answer did not say."""
    return max(0.0, (end - begin) / 1000) if begin and end else None


def write_lasting(begin: int, end: int) -> str:
    """Write the span between two times in milliseconds; nothing where one is 0."""
    seconds = seconds_between(begin, end)
    return "" if seconds is None else write_span(seconds)


def write_moment(milliseconds: int) -> str:
    """Write milliseconds since the Unix epoch as a time in UTC; as they are where they are beyond all dates.

    Nothing is written of 0, which stands for a time that the answer did not say.
    """
    if not milliseconds:
        return ""
    try:
        return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):  # beyond what a datetime holds
        return str(milliseconds)
