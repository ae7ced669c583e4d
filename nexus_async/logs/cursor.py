"""The token that resumes a stream: opaque to users, versioned, printable and small."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec

from nexus_async.errors import InvalidCursorError
from nexus_async.logs.position import Position  # noqa: TC001 - msgspec reads the annotations

VERSION: Final = 1
_TOKEN = re.compile(r"nxc([0-9]{1,6})\.([A-Za-z0-9_-]*)")


class Cursor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Say how far a run was read: each of its logs, and whether it ended."""

    run_id: str
    logs: dict[str, Position] = {}
    ended: bool = False

    def token(self) -> str:
        """Write the cursor as a token of printable characters."""
        packed = base64.urlsafe_b64encode(_pack(self)).rstrip(b"=")
        return f"nxc{VERSION}.{packed.decode()}"

    @classmethod
    def parse(cls, token: str, *, run_id: str) -> Cursor:
        """Read a token back.

        Raises `InvalidCursorError` for garbage, for the token of another run, and for one of a newer release.
        """
        cursor = cls._read(token)
        if cursor.run_id != run_id:
            raise InvalidCursorError(f"the cursor is of {cursor.run_id}, not of {run_id}")
        return cursor

    @classmethod
    def run_of(cls, token: str) -> str:
        """Return the ID of the run that a token is of; raise `InvalidCursorError` as `parse` does."""
        return cls._read(token).run_id

    @classmethod
    def _read(cls, token: str) -> Cursor:
        match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if match is None:
            raise InvalidCursorError(f"{token!r} is no cursor: pass one as an event or a stream gave it")
        if int(match[1]) > VERSION:
            raise InvalidCursorError(
                f"the cursor is of version {match[1]}, this release reads up to {VERSION}: upgrade nexus-async"
            )
        return cls._unpacked(match[2])

    @staticmethod
    def _unpacked(text: str) -> Cursor:
        try:
            return _unpack(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, msgspec.DecodeError, ValueError):
            raise InvalidCursorError("the cursor is damaged: pass one as an event or a stream gave it") from None


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Cursor).decode
