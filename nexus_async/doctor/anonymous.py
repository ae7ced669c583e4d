"""What may stand in a report that is pasted where anybody reads it: words of the wire, and no more."""

from __future__ import annotations

import re
from typing import Any, Final

SHOWN: Final = 4
"""Characters of an ID that are shown: enough for its owner to tell it apart from others."""
_KINDS: Final[dict[type, str]] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "text",
    list: "list",
}
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_.@/ ()-]{0,47}")
_IDENTIFIER = re.compile(r"[0-9a-fA-F]{12}|\d{7}|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}|runlog_|@\w+\.")


def word(text: str) -> str:
    """Return a word of the wire (a key, a status, a code) as it is; of what may be anything, only the length."""
    if _WORD.fullmatch(text) and not _IDENTIFIER.search(text):
        return text
    return f"<{len(text)} characters>"


def short(identifier: str) -> str:
    """Return the beginning of an ID, such as `run_610b...`."""
    kind, mark, rest = identifier.partition("_")
    if not mark or not kind.isalpha() or len(kind) > len("workspace"):
        kind, mark, rest = "", "", identifier
    return f"{kind}{mark}{rest[:SHOWN] if len(rest) > 2 * SHOWN else ''}..."


def kind_of(value: Any) -> str:
    """Return what JSON calls the type of a value, with the two kinds of numbers told apart."""
    return _KINDS.get(type(value), "object")
