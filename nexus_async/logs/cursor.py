"""The token that resumes a stream: opaque to users, versioned, printable and small."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

import msgspec
import xxhash

from nexus_async.errors import InvalidCursorError
from nexus_async.logs.position import Position  # noqa: TC001 - msgspec reads the annotations

VERSION: Final = 1
CHECK_BYTES: Final = 4
_TOKEN = re.compile(r"nxc([0-9]{1,6})\.([A-Za-z0-9_-]*)")


class Beginning(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Say what is told of a run at first. A cursor has it until a whole snapshot of the run was taken."""

    tail: int | None = None
    """Of the first snapshot the last so many entries alone; None: all."""
    since: float | None = None
    """Nothing that is older, in seconds since the Unix epoch; None: all."""


class Cursor(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Say how far a run was read: each of its logs, the status last told of it, and whether its end was."""

    run_id: str
    logs: dict[str, Position] = {}
    ended: bool = False
    project_id: str = ""
    """Empty where a stream made the cursor: only a feed goes by it."""
    status: str = ""
    """The status last told; empty where none was."""
    status_date: int = 0
    """When that status began, in milliseconds since the Unix epoch."""
    removals: int = 0
    """How often it was told that the run is followed no more."""
    beginning: Beginning | None = None
    """What is held back of its first snapshot, where none was taken yet; None: nothing."""

    @property
    def is_untold(self) -> bool:
        """Tell whether nothing of the run was handled yet, not even that it is followed."""
        return not (self.ended or self.status or self.logs)

    def untold(self) -> Cursor:
        """Return the cursor before it was handled that the run is followed."""
        return msgspec.structs.replace(self, status="", status_date=0)

    def token(self) -> str:
        """Write the cursor as a token of printable characters."""
        packed = _pack(self)
        text = base64.urlsafe_b64encode(packed + _check_of(packed)).rstrip(b"=")
        return f"nxc{VERSION}.{text.decode()}"

    @classmethod
    def read(cls, token: str) -> Cursor:
        """Read a token of any run back. Raises `InvalidCursorError` for garbage, or one of a newer release."""
        match = _TOKEN.fullmatch(token) if isinstance(token, str) else None
        if match is None:
            raise InvalidCursorError(f"{token!r} is no cursor: pass one as an event or a stream gave it")
        if int(match[1]) > VERSION:
            raise InvalidCursorError(
                f"the cursor is of version {match[1]}, this release reads up to {VERSION}: upgrade nexus-async"
            )
        return cls._unpacked(match[2])

    @classmethod
    def parse(cls, token: str, *, run_id: str) -> Cursor:
        """Read a token back.

        Raises `InvalidCursorError` for garbage, for the token of another run, and for one of a newer release.
        """
        cursor = cls.read(token)
        if cursor.run_id != run_id:
            raise InvalidCursorError(
                f"the cursor is of {cursor.run_id}, not of {run_id}: pass it with its own run"
            )
        return cursor

    @staticmethod
    def _unpacked(text: str) -> Cursor:
        try:
            whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            packed, check = whole[:-CHECK_BYTES], whole[-CHECK_BYTES:]
            if check == _check_of(packed):
                return _unpack(packed)
        except (binascii.Error, msgspec.DecodeError, ValueError):
            pass
        raise InvalidCursorError("the cursor is damaged: pass one as an event or a stream gave it")


def _check_of(packed: bytes) -> bytes:
    """Return the checksum: one wrong character must not look like a log that changed."""
    return xxhash.xxh32_digest(packed)


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Cursor).decode
