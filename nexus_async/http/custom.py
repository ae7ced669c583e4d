"""A request for which there is no method yet: checked and built, without I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import msgspec

from nexus_async.errors import InvalidArgumentError
from nexus_async.http.protocol import Request, path_of

Scalar: TypeAlias = str | int | float | bool | None
Params: TypeAlias = Mapping[str, Scalar | Iterable[Scalar]]

REPEATABLE: Final = {"GET": True, "PUT": True, "DELETE": True, "PATCH": False, "POST": False}
"""The methods, and whether doing it twice does what doing it once does (RFC 9110, section 9.2.2)."""

_NO_PATH = re.compile(r"[?#\\\x00-\x1f\x7f]|^[^/]|//|/$")


def custom(
    method: str,
    below: str,
    path: str,
    *,
    json: Any = None,
    params: Params | None = None,
    repeatable: bool | None = None,
) -> Request:
    """Ask with `method` for `path` under the path `below`.

    Raises `InvalidArgumentError` for a method that is not known, a path that leads elsewhere, and a body or
    parameters that cannot be sent.
    """
    if method not in REPEATABLE:
        raise InvalidArgumentError(f"{method!r} is no method: choose among {', '.join(REPEATABLE)}")
    return Request(
        method,
        f"{below}{_path(path)}{_query(params or {})}",
        None if json is None else _body(json),
        repeatable=REPEATABLE[method] if repeatable is None else repeatable,
    )


def _path(path: str) -> str:
    """Quote each part of a path that begins with a slash; refuse what leads nowhere, or may lead elsewhere."""
    if not isinstance(path, str) or _NO_PATH.search(path):
        raise InvalidArgumentError(
            f"{path!r} is no path below the endpoint: begin it with one slash and end it with none, "
            "as in '/artifacts', leave the host out, and give what follows a question mark as params="
        )
    return path_of(*path.removeprefix("/").split("/"))


def _query(params: Params) -> str:
    """Write parameters as the API reads them: lists as `key[]=a&key[]=b`, booleans as `true` and `false`."""
    pairs = [pair for name, value in params.items() for pair in _pairs(name, value)]
    return "?" + "&".join(pairs) if pairs else ""


def _pairs(name: str, value: Scalar | Iterable[Scalar]) -> list[str]:
    if isinstance(value, (str, int, float)) or value is None:
        return [] if value is None else [f"{_text(name, name)}={_text(name, value)}"]
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Mapping)):
        raise InvalidArgumentError(f"params[{name!r}]={value!r} is no text, number, boolean or list of them")
    return [f"{_text(name, name)}[]={_text(name, each)}" for each in value]


def _text(name: str, value: object) -> str:
    if not isinstance(value, (str, int, float)):
        raise InvalidArgumentError(f"params[{name!r}] holds {value!r}, which is no text, number or boolean")
    try:
        return quote(str(value).lower() if isinstance(value, bool) else str(value), safe="")
    except UnicodeEncodeError:
        raise InvalidArgumentError(
            f"params[{name!r}] holds {value!r}, which is no text that can be sent"
        ) from None


def _body(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as refusal:
        raise InvalidArgumentError(f"json= cannot be sent as JSON: {refusal}") from None
