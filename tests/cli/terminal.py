"""A process in a terminal of a chosen size, and as it is in a pipe."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NEXUS_ASYNC = [sys.executable, "-m", "nexus_async"]
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Screen(NamedTuple):
    code: int
    raw: str

    @property
    def lines(self) -> list[str]:
        return ESCAPES.sub("", self.raw.replace("\r\n", "\n").replace("\r", "\n")).splitlines()


def in_terminal(
    *words: str,
    environment: Mapping[str, str],
    columns: int = 80,
    typed: str = "",
    until: str = "",
    then: Callable[[subprocess.Popen[bytes]], None] | None = None,
) -> Screen:
    """Run a command in a terminal to its end; once `until` is seen, type what is `typed` and call `then`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, columns, 0, 0))
    env = {**os.environ, "TERM": "xterm-256color", **environment}
    process = subprocess.Popen([*NEXUS_ASYNC, *words], stdin=theirs, stdout=theirs, stderr=theirs, env=env)
    os.close(theirs)
    shown = b""
    with process:
        while chunk := _read(ours):
            shown += chunk
            if until and until in ESCAPES.sub("", shown.decode(errors="replace")):
                until = ""
                os.write(ours, typed.encode())
                if then is not None:
                    then(process)
    os.close(ours)
    return Screen(process.returncode, shown.decode())


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # nobody writes any more
        return b""
