"""Comparing JSON with a type that msgspec reads: what is unknown, what lacks, what is of another type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import inspect

from nexus_async.doctor.anonymous import kind_of, word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Kind = Literal["extra", "missing", "absent", "type", "value"]
"""Not in the type; required and not there; optional and not there; of another type; not among what is known."""

_SCALARS: dict[type[inspect.Type], tuple[str, ...]] = {
    inspect.NoneType: ("null",),
    inspect.BoolType: ("boolean",),
    inspect.IntType: ("integer",),
    inspect.FloatType: ("number", "integer"),
    inspect.StrType: ("text",),
    inspect.ListType: ("list",),
    inspect.DictType: ("object",),
    inspect.StructType: ("object",),
}


class Difference(msgspec.Struct, frozen=True):
    """Say where JSON and a type differ."""

    path: str
    """Such as `Run.execution.limit`, by the names on the wire; `[]` stands for the items of a list."""
    kind: Kind
    told: str = ""
    """What came, and what was expected: types and words of the wire, never a value that could be private."""


def differences(value: Any, shape: Any, *, known: Mapping[str, frozenset[str]] | None = None) -> list[Difference]:
    """Return where `value`, decoded JSON, differs from the type `shape`.

    The paths within a list of models begin with the model, as they do for a single one. `known` has, by path, the
    texts that this release knows where they are one of several.
    """
    described, root = inspect.type_info(shape), model_of(shape)
    if isinstance(described, inspect.ListType) and isinstance(value, list):
        return [found for item in value for found in _compare(item, described.item_type, root, known or {})]
    return list(_compare(value, described, root, known or {}))


def model_of(shape: Any) -> str:
    """Return the name of a model, or of that whose list `shape` is."""
    described = inspect.type_info(shape)
    inner = described.item_type if isinstance(described, inspect.ListType) else described
    return inner.cls.__name__ if isinstance(inner, inspect.StructType) else "answer"


def _compare(
    value: Any, shape: inspect.Type, path: str, known: Mapping[str, frozenset[str]]
) -> Iterator[Difference]:
    fitting = _fitting(value, shape)
    match fitting:
        case None:
            yield Difference(path, "type", f"{kind_of(value)} in place of {_expected(shape)}")
        case inspect.StructType():
            yield from _compare_fields(value, fitting, path, known)
        case inspect.ListType():
            for item in value:
                yield from _compare(item, fitting.item_type, f"{path}[]", known)
        case inspect.DictType():
            for item in value.values():
                yield from _compare(item, fitting.value_type, f"{path}{{}}", known)
        case inspect.StrType() if path in known and value not in known[path]:
            yield Difference(path, "value", word(value))


def _compare_fields(
    value: dict[str, Any], shape: inspect.StructType, path: str, known: Mapping[str, frozenset[str]]
) -> Iterator[Difference]:
    fields = {field.encode_name: field for field in shape.fields}
    for key, item in value.items():
        if key in fields:
            yield from _compare(item, fields[key].type, f"{path}.{key}", known)
        else:
            yield Difference(f"{path}.{word(key)}", "extra", kind_of(item))
    for key, field in fields.items():
        if key not in value:
            yield Difference(f"{path}.{key}", "missing" if field.required else "absent")


def _fitting(value: Any, shape: inspect.Type) -> inspect.Type | None:
    """Return the part of a union, or the type itself, that takes a value of this kind; None where none does."""
    if isinstance(shape, inspect.UnionType):
        return next((part for part in shape.types if _fitting(value, part)), None)
    kinds = _SCALARS.get(type(shape))
    return shape if kinds is None or kind_of(value) in kinds else None


def _expected(shape: inspect.Type) -> str:
    if isinstance(shape, inspect.UnionType):
        return " or ".join(_expected(part) for part in shape.types)
    return _SCALARS[type(shape)][0]
