"""What bounds a call and each of its attempts."""

from __future__ import annotations

import msgspec

from nexus_async.config import (
    ATTEMPTS,
    CONNECT_TIMEOUT,
    MAX_RESPONSE_BYTES,
    READ_TIMEOUT,
    RETRY_AFTER_CAP,
    TIMEOUT,
    positive,
    positive_count,
)
from nexus_async.errors import ConfigurationError

_COUNTS = {"attempts", "max_response_bytes"}


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Bound what a call may take. Times are seconds."""

    timeout: float = TIMEOUT
    """For a whole call: waiting for its turn, every attempt and the pauses between them."""
    connect_timeout: float = CONNECT_TIMEOUT
    """Until a connection stands."""
    read_timeout: float = READ_TIMEOUT
    """Without a byte."""
    attempts: int = ATTEMPTS
    """Tries in all."""
    retry_after_cap: float = RETRY_AFTER_CAP
    """An answer that asks for a longer pause is raised at once."""
    max_response_bytes: int = MAX_RESPONSE_BYTES
    """Bytes of an answer, as received and decompressed."""

    def checked(self) -> Options:
        """Return these; raise `ConfigurationError` for one that makes no sense, by its name."""
        for name in self.__struct_fields__:
            check = positive_count if name in _COUNTS else positive
            check(name, getattr(self, name))
        return self

    def changed(self, **given: float | None) -> Options:
        """Return these with others in place of those that are not None; they are checked."""
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise ConfigurationError(
                f"with_options changes nothing: give one of {', '.join(self.__struct_fields__)}"
            )
        return msgspec.structs.replace(self, **changes).checked()
