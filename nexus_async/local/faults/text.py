"""Faults as the command line writes them: `ROUTE:KIND[=VALUE][:CONDITION]...`, such as `get_logs:503:10%`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from nexus_async.local.errors import InvalidArgumentError
from nexus_async.local.faults.fault import Fault
from nexus_async.local.faults.routes import read_route
from nexus_async.local.faults.rule import Conditions

Read = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """Hold what a text says: what befalls which requests, and when."""

    fault: Fault
    on: str
    conditions: Conditions


@dataclass(frozen=True, slots=True)
class _Kind:
    make: Callable[..., Fault]
    value: Read | None = None
    needed: str = ""
    """A value to show where one is needed and not given."""
    options: tuple[str, ...] = ()


def _retry_after(text: str) -> float | str | timedelta:
    if not text:
        raise InvalidArgumentError("'retry_after' needs a value, as in 'retry_after=3'")
    if ahead := re.fullmatch(r"date([+-]\d+)", text):
        return timedelta(seconds=int(ahead[1]))
    return int(text) if text.isdecimal() else text


def _mark(text: str) -> bool:
    if text:
        raise InvalidArgumentError(f"'carried_out' takes no value: leave out '={text}'")
    return True


_KINDS: Final = {
    "html": _Kind(Fault.html, int, options=("carried_out",)),
    "redirect": _Kind(Fault.redirect, str),
    "blackhole": _Kind(Fault.blackhole, options=("carried_out",)),
    "latency": _Kind(Fault.latency, float, "0.5"),
    "trickle": _Kind(Fault.trickle, float, "100"),
    "drop": _Kind(Fault.drop, str, "before"),
    "wrong_length": _Kind(Fault.wrong_length, int),
    "broken_json": _Kind(Fault.broken_json),
    "wrong_type": _Kind(Fault.wrong_type),
    "empty_body": _Kind(Fault.empty_body),
    "gzip_bomb": _Kind(Fault.gzip_bomb, int),
    "rewritten_log": _Kind(Fault.rewritten_log, int),
    "truncated_log": _Kind(Fault.truncated_log, int, "5"),
    "clock_skew": _Kind(Fault.clock_skew, float, "3600"),
    "etag": _Kind(Fault.etag),
    "lying_etag": _Kind(Fault.lying_etag),
}
_STATUS: Final = _Kind(Fault.refuse, int, options=("retry_after", "carried_out"))
_CONDITIONS: Final[Mapping[str, Read]] = {"times": int, "every": int, "skip": int, "seconds": float}
_OPTIONS: Final[Mapping[str, Read]] = {"retry_after": _retry_after, "carried_out": _mark}
_PART: Final = re.compile(r"(?:https?://(?:\[[^\]]*\]|[^/:]*)(?::\d+)?|\d\d:\d\d:\d\d|[^:])+")
"""A part ends at a colon, but for those of a URL and of the time of day of a date."""
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?)%")


def read_fault(text: str) -> Reading:
    """Read `ROUTE:KIND[=VALUE]`, and after it `10%`, `times=`, `every=`, `skip=`, `seconds=` or the kind's own.

    Raises `InvalidArgumentError` that says which part makes no sense, and what there is.
    """
    try:
        return _read(*_PART.findall(text))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(f"the fault {text!r}: {error}") from None


def _read(on: str = "", what: str = "", *rest: str) -> Reading:
    read_route(on)
    kind, value = _kind_and_value(what)
    options: dict[str, Any] = {}
    conditions: dict[str, Any] = {}
    for part in rest:
        name, _, said = part.partition("=")
        if share := _SHARE.fullmatch(part):
            conditions["chance"] = float(share[1]) / 100
        elif name in kind.options:
            options[name] = _converted(part, said, _OPTIONS[name])
        elif name in _CONDITIONS:
            conditions[name] = _converted(part, said, _CONDITIONS[name])
        else:
            there = ("10%", *(f"{condition}=" for condition in _CONDITIONS), *kind.options)
            raise InvalidArgumentError(f"{part!r} is no condition of {what}: there are {', '.join(there)}")
    return Reading(kind.make(*_value_of(what, kind, value), **options), on, Conditions(**conditions))


def _kind_and_value(what: str) -> tuple[_Kind, str]:
    """Tell the kind of a fault and its value, which of a refusal is the status itself."""
    name, _, value = what.partition("=")
    if not name.isdecimal():
        return _kind_of(name), value
    if value:
        raise InvalidArgumentError(f"{what!r} takes no value: leave out '={value}'")
    return _STATUS, name


def _kind_of(name: str) -> _Kind:
    if name in _KINDS:
        return _KINDS[name]
    raise InvalidArgumentError(
        f"{name!r} is no kind of fault: after the route and a colon comes a status such as 503, "
        f"or one of {', '.join(_KINDS)}; as in get_logs:503:10%"
    )


def _value_of(what: str, kind: _Kind, value: str) -> tuple[Any, ...]:
    """Return the arguments that make the fault: its value, or none where it takes or is given none."""
    if kind.value is None and value:
        raise InvalidArgumentError(f"{what!r} takes no value: leave out '={value}'")
    if kind.needed and not value:
        raise InvalidArgumentError(f"{what!r} needs a value, as in '{what.removesuffix('=')}={kind.needed}'")
    return (_converted(what, value, kind.value),) if kind.value and value else ()


def _converted(part: str, value: str, read: Read) -> Any:
    try:
        return read(value)
    except InvalidArgumentError:
        raise
    except ValueError:
        number = "a whole number" if read is int else "a number"
        raise InvalidArgumentError(f"{part!r} has {value!r} where {number} belongs") from None
