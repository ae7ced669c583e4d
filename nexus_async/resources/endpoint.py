"""What stands at a path of the API, and can be asked for what has no method of its own yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from nexus_async.errors import InvalidArgumentError
from nexus_async.http.custom import Params, custom
from nexus_async.models.base import Decoder

if TYPE_CHECKING:
    from collections.abc import Callable

    from nexus_async.http.requester import Requester

T = TypeVar("T")


class Endpoint:
    """Be asked for anything below one path."""

    _requester: Requester
    _path: str

    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        type: type[T],
        json: Any = None,
        params: Params | None = None,
        repeatable: bool | None = None,
    ) -> T: ...
    @overload
    async def request(
        self,
        method: str,
        path: str,
        *,
        type: None = None,
        json: Any = None,
        params: Params | None = None,
        repeatable: bool | None = None,
    ) -> Any: ...
    async def request(
        self,
        method: str,
        path: str,
        *,
        type: type[T] | None = None,  # noqa: A002 - what a user calls it
        json: Any = None,
        params: Params | None = None,
        repeatable: bool | None = None,
    ) -> Any:
        """Ask for what has no method of its own yet, as in `project.request("GET", "/artifacts")`.

        It has the attempts, the timeout, the throttle and the errors of every call. `path` begins with a slash
        and stands below the project of a `Project`, below the endpoint of a `Client`. Its parts are quoted.

        The answer is decoded into `type`, anything that msgspec takes, and without one into what its JSON is
        (None where it is empty). `json` is the body, structs included. Lists of `params` are sent as
        `key[]=a&key[]=b`, booleans as `true` and `false`; a None is left out.

        GET, PUT and DELETE are sent again after a failure that passes; POST and PATCH only where nothing was
        carried out, and `OutcomeUnknownError` says where that is unknown. `repeatable` decides otherwise: True
        for a POST that may be carried out twice.

        Raises `InvalidArgumentError`, before anything is sent, for a method, path, parameter or body that cannot
        be sent; `InvalidAnswerError` for an answer that is not of `type`; any other `RequestError` as every call.
        """
        asked = custom(method, self._path, path, json=json, params=params, repeatable=repeatable)
        decode = _anything if type is None else _decoder(type)
        return await self._requester.call(asked, decode)


def _anything(body: bytes) -> Any:
    return msgspec.json.decode(body) if body.strip() else None


def _decoder(shape: type[T]) -> Callable[[bytes], T]:
    try:
        return Decoder(shape)
    except TypeError as refusal:
        raise InvalidArgumentError(f"type={shape!r} is nothing that msgspec decodes into: {refusal}") from None
