"""Making texts of others fit for a terminal."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = "\x00-\x1f\x7f-\x9f"
_DIRECTION: Final = "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
"""What turns the direction of a text round, or breaks its line: it would show what is not there."""
_HIDDEN: Final = re.compile(f"[{_CONTROL}{_DIRECTION}\ud800-\udfff]")
_HIDDEN_IN_JSON: Final = re.compile(f"[\x7f-\x9f{_DIRECTION}]")


def visible(text: str) -> str:
    """Return a text with its control characters written out as Python does: a terminal obeys none of them."""
    return _HIDDEN.sub(_written_out, text)


def visible_json(text: str) -> str:
    """Return a JSON text of the same meaning whose strings hold no character that a terminal obeys."""
    return _HIDDEN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"  # noqa: PLR2004 - as Python writes them
