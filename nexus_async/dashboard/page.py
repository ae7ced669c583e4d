"""One page, composed of what lies beside this file: no build step, and nothing is loaded from elsewhere.

Styles and scripts stand in the page itself, and its content security policy names their digests: whatever else
should get into the page does not run.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

_FOLDER: Final = Path(__file__).with_name("page")
_STYLES: Final = ("uplot.css", "style.css")
_LIBRARY: Final = "uplot.js"
_SCRIPTS: Final = (
    "format.js",
    "model.js",
    "table.js",
    "charts.js",
    "matrix.js",
    "events.js",
    "stream.js",
    "main.js",
)
_UNSAFE: Final = re.compile("[<>&\u2028\u2029]")


def page_with(data: Mapping[str, object]) -> str:
    """Return the page with `data` in it, for its scripts to read.

    Whatever stands in `data` stays data: what could end a script, or open a comment in one, is escaped.
    """
    text = encoded(data).decode()
    return _template().replace("{{data}}", _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text))


def encoded(data: object) -> bytes:
    """Return `data` as JSON, whatever texts the API sent."""
    try:
        return msgspec.json.encode(data)
    except (msgspec.MsgspecError, UnicodeError, OverflowError):  # a lone surrogate, a number beyond 64 bits
        return json.dumps(data, separators=(",", ":")).encode()


@cache
def policy() -> str:
    """Return the page's content security policy (https://www.w3.org/TR/CSP3/)."""
    scripts = " ".join(_digest(text) for text in (_library(), _script()))
    return (
        f"default-src 'none'; script-src {scripts}; style-src {_digest(_style())}; "
        "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _template() -> str:
    parts = {"policy": policy(), "style": _style(), "library": _library(), "script": _script()}
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts.get(found[1], found[0]), _read("index.html"))


@cache
def _style() -> str:
    return "".join(map(_read, _STYLES))


@cache
def _library() -> str:
    return _read(_LIBRARY)


@cache
def _script() -> str:
    return '"use strict";\n' + "".join(map(_read, _SCRIPTS))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
