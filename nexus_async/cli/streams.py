"""The standard streams, where whoever started the process closed some of them, as `>&-` does."""

from __future__ import annotations

import os
import sys
from typing import Final

_DESCRIPTORS: Final = {"stdin": 0, "stdout": 1, "stderr": 2}


def open_missing_streams() -> None:
    """Let a stream that is closed lead nowhere.

    Else the first socket would take its number, and get what is written to it; uvloop aborts then.
    """
    for name, descriptor in _DESCRIPTORS.items():
        if not _is_open(descriptor):
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - for good


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
