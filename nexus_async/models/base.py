"""What every model shares: mapping access as in the reference, and leniency in what is taken."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Model(msgspec.Struct, frozen=True, kw_only=True, gc=False, rename="camel"):
    """Read an answer of the API: attributes, or `model["attribute"]` and `model.get("attribute")`.

    Unknown members of an answer are ignored. Names are snake case here and camel case on the wire.
    """

    def __getitem__(self, name: str) -> Any:
        """Return the attribute `name`; raise `KeyError` where there is none."""
        if name in self:
            return getattr(self, name)
        raise KeyError(f"{type(self).__name__} has no {name!r}; it has {', '.join(self.__struct_fields__)}")

    def get(self, name: str, default: Any = None) -> Any:
        """Return the attribute `name`, or `default` where there is none."""
        return getattr(self, name) if name in self else default

    def keys(self) -> tuple[str, ...]:
        """Return the names of the fields, so that `dict(model)` works."""
        return self.__struct_fields__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__struct_fields__)

    def __contains__(self, name: object) -> bool:
        return name in self.__struct_fields__ or isinstance(getattr(type(self), str(name), None), property)


def moment(milliseconds: int) -> datetime:
    """Turn milliseconds since the Unix epoch into an aware datetime, in UTC."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


class Decoder(Generic[T]):
    """Decode JSON into one type, leniently.

    msgspec alone refuses `1.0` where an integer is meant, and a null where a field has a default. Both are
    taken here: the first always, the second in a second reading, at no cost to bodies that are in order.
    """

    def __init__(self, shape: type[T]) -> None:
        self._shape = shape
        self._decode = msgspec.json.Decoder(shape, strict=False).decode

    def __call__(self, body: bytes | str) -> T:
        """Return the value; raise `msgspec.DecodeError` for what is not JSON or not of this shape."""
        try:
            return self._decode(body)
        except msgspec.ValidationError:
            return msgspec.convert(_without_nulls(msgspec.json.decode(body)), self._shape, strict=False)


def _without_nulls(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list():
            return [_without_nulls(item) for item in value]
        case _:
            return value
