"""How a command that went wrong ends: in one line that says what to do, and with a code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from cyclopts import CycloptsError

from nexus_async.cli.console import forget_reader, say
from nexus_async.cli.exits import ERROR, INTERRUPTED, USAGE, code_of
from nexus_async.errors import NexusError

if TYPE_CHECKING:
    from collections.abc import Sequence


def end_with(failure: BaseException, words: Sequence[str]) -> int:
    """Tell of a failure, unless nobody is there to hear it, and return the exit code of the command `words`."""
    match failure:
        case KeyboardInterrupt() | asyncio.CancelledError():
            return INTERRUPTED
        case BrokenPipeError():
            forget_reader()
            return ERROR
        case CycloptsError():
            _complain(f"{_whole(str(failure))}. See {_help_for(words)}")
            return USAGE
        case NexusError():
            _complain(str(failure))
            return code_of(failure)
        case SystemExit():
            raise failure
    _complain(str(failure) if _is_foreseen(failure) else _unforeseen(failure))
    return ERROR


def _whole(sentence: str) -> str:
    """Return a sentence without its end; where cyclopts leaves out what there are too many of, say so."""
    shown = sentence.removesuffix(", ...")
    return f"{shown} and others" if shown != sentence else sentence.rstrip(".")


def _is_foreseen(failure: BaseException) -> bool:
    from nexus_async.local import LocalNexusError  # noqa: PLC0415 - few commands need the local server

    return isinstance(failure, (OSError, ModuleNotFoundError, LocalNexusError))


def _unforeseen(failure: BaseException) -> str:
    return f"unforeseen {type(failure).__name__}: {failure}. Run it again with --debug, and report what it shows"


def _complain(message: str) -> None:
    try:
        say(f"nexus-async: {' '.join(message.split())}")
    except BrokenPipeError:
        forget_reader()


def _help_for(words: Sequence[str]) -> str:
    from nexus_async.cli.app import app  # noqa: PLC0415 - which ends with this

    found, commands = app, []
    for word in words:
        if word.startswith("-") or word not in found:
            break
        found = found[word]
        commands.append(word)
    return " ".join(["nexus-async", *commands, "--help"])
